import Triwire

/// One connection of the load side: sends a message when it is told to, and says when one came.
///
/// Belongs to one loop; every member is called there.
protocol FloorLink: AnyObject {
  /// Called with each message that has arrived whole.
  var onReply: (() -> Void)? { get set }
  /// Called when the connection is gone or carries what it should not, with the reason.
  var onFailure: ((String) -> Void)? { get set }

  /// Sends one message.
  func send()

  /// Ends the connection without ceremony.
  func abort()
}

/// Bare TCP and plain HTTP: fixed bytes up, a fixed number of bytes back for each.
final class StreamLink: FloorLink {
  private let stream: PlainStream
  private let request: [UInt8]
  /// The bytes of each answer; `nil` until the first one shows it, which is asked for alone and,
  /// being small, comes in one piece.
  private var answerSize: Int?
  private var waiting = 0
  var onReply: (() -> Void)?
  var onFailure: ((String) -> Void)? { didSet { stream.onEnd = onFailure } }

  init(_ stream: PlainStream, request: [UInt8], answerSize: Int?) {
    self.stream = stream
    self.request = request
    self.answerSize = answerSize
    stream.onBytes = { [unowned self] bytes in received(bytes.count) }
  }

  private func received(_ count: Int) {
    waiting += count
    let size = answerSize ?? count
    answerSize = size
    while waiting >= size {
      waiting -= size
      onReply?()
    }
  }

  func send() {
    let bytes = request
    stream.send(bytes.span)
  }

  func abort() { stream.abort() }
}

/// A session over any transport.
final class SessionLink: FloorLink {
  private let session: Session
  private let message: [UInt8]
  var onReply: (() -> Void)?
  var onFailure: ((String) -> Void)?

  /// Sends `message` and takes answers of `answerSize` bytes.
  init(_ session: Session, message: [UInt8], answerSize: Int) {
    self.session = session
    self.message = message
    session.receive { [unowned self] _, bytes in
      guard bytes.count == answerSize else {
        onFailure?("a message of \(grouped(bytes.count)) bytes came")
        return
      }
      onReply?()
    }
    session.whenEnded { [weak self] end in self?.onFailure?("\(end.code) \(end.reason)") }
  }

  func send() {
    let bytes = message
    session.sendNow(.text, bytes.span)
  }

  func abort() {
    (onReply, onFailure) = (nil, nil)
    session.abort()
  }
}
