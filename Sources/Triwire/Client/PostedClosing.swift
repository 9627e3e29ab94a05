import TriwireIO

/// How the client's end of a session comes to its end where messages go up by POST.
///
/// Our close is one more POST behind all that waits, and the session has ended when it was answered. A
/// server that no longer knows the session when a message is posted says on the way down how it ended.
/// Neither is waited for longer than `closeSeconds`.
final class PostedClosing {
  private let posts: PostSender
  private let alarm: Alarm
  private let nanoseconds: UInt64
  /// Our close, once it has begun.
  private var ours: SessionEnd?
  /// What is said if the way down does not say how the session ended.
  private var presumed: SessionEnd?
  /// Ends the session; kept only while there is something to wait for.
  private var finish: ((SessionEnd) -> Void)?

  init(_ posts: PostSender, _ dialer: Dialer) {
    self.posts = posts
    alarm = Alarm(dialer.loop)
    nanoseconds = dialer.configuration.session.closeSeconds.nanoseconds
  }

  /// Whether our close is under way, or done.
  var hasBegun: Bool { ours != nil }

  /// Posts our close, once.
  func begin(_ code: CloseCode, _ reason: String, _ finish: @escaping (SessionEnd) -> Void) {
    guard ours == nil else { return }
    ours = SessionEnd(code: code, reason: reason, isLocal: true)
    posts.onClosed = { [unowned self] in conclude() }
    wait(finish)
    if let ours { posts.close(ours) }
  }

  /// Waits for the way down to say how the session ended, of which a POST has told.
  func presume(_ end: SessionEnd, _ finish: @escaping (SessionEnd) -> Void) {
    presumed = end
    wait(finish)
  }

  /// What an end is told as: what the peer did while our close was under way is our close.
  func told(_ end: SessionEnd) -> SessionEnd { ours ?? end }

  /// Waits no more.
  func stop() {
    alarm.cancel()
    finish = nil
  }

  private func wait(_ finish: @escaping (SessionEnd) -> Void) {
    guard !alarm.isSet else { return }
    self.finish = finish
    // A loop that stops brings neither the answer nor the end.
    alarm.set(after: nanoseconds, orphaned: { [self] in conclude() }) { [self] in conclude() }
  }

  private func conclude() {
    guard let end = ours ?? presumed, let finish else { return }
    stop()
    finish(end)
  }
}
