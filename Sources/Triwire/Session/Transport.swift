public import TriwireCodec

/// One way to carry a session.
///
/// A transport moves the messages of exactly one session, and belongs to the session's loop: each
/// member is called there. It tells its session what happens through `Session.deliver`,
/// `Session.drained` and `Session.ended`, in that order and on that loop; after `ended` it is let
/// go. Whoever writes another one runs the contract suite of the tests over it.
public protocol Transport: AnyObject {
  /// Which way this is.
  var kind: TransportKind { get }

  /// Bytes of messages that were sent and that neither the kernel nor, where the transport
  /// acknowledges, the peer has taken.
  var queuedBytes: Int { get }

  /// What was moved so far.
  var traffic: Traffic { get }

  /// Sends one message. It is encoded before the call returns and leaves when the turn ends.
  /// `compression` is heeded where the transport compresses.
  func send(_ kind: MessageKind, _ payload: Span<UInt8>, _ compression: MessageCompression)

  /// Sends messages that go to many sessions; their encoding is shared among all of them.
  func send(_ broadcast: Broadcast)

  /// Ends the session: sends what waits, tells the peer, and calls `Session.ended` when that is
  /// done or its deadline has passed.
  func close(_ code: CloseCode, _ reason: String)

  /// Ends the session without a word to the peer. `Session.ended` is called before it returns.
  func abort()

  /// The session, which had said that it takes no more, takes messages again.
  func resumeDelivery()
}
