import TriwireIO

/// Notices that nothing comes from a server that promised to say something now and then.
final class SilenceWatch: TimerOwner {
  private weak var stream: ByteStream?
  private let link: ClientLink
  private let body: () -> Void
  private var timer: TimerID?
  private let loop: EventLoop

  init(_ stream: ByteStream, _ link: ClientLink, _ body: @escaping () -> Void) {
    self.stream = stream
    self.link = link
    self.body = body
    loop = stream.loop
    timer = loop.wheel.arm(self, at: loop.now + link.silence)
  }

  func cancel() {
    if let timer { loop.wheel.cancel(timer) }
    timer = nil
  }

  func timerFired(now: UInt64) -> UInt64 {
    guard let stream else { return 0 }
    // Nothing comes while nothing is read.
    if link.session?.isHeldBack == true { return now + link.silence }
    let deadline = stream.lastArrival + link.silence
    if now < deadline { return deadline }
    timer = nil
    body()
    return 0
  }
}
