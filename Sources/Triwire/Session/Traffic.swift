/// The bytes of one direction, by what they were for.
///
/// Counted where they were encoded or parsed.
///
/// Their sum is what the session's streams moved: `total == StreamCounters.bytesSent` (or
/// `bytesReceived`), except for input that waits for the rest of a frame or head.
public struct Ledger: Sendable, Equatable {
  /// Messages.
  public var messages: UInt64 = 0
  /// Bytes of the application.
  public var payload: UInt64 = 0
  /// What the transport puts around a message: frame heads and masks, `data:` fields and chunk
  /// heads, batch records, and what base64 adds.
  public var framing: UInt64 = 0
  /// Pings, pongs, comments and close frames.
  public var control: UInt64 = 0
  /// Request and status lines, header fields, and the ends of bodies; also what opened a tunnel
  /// through a proxy.
  public var http: UInt64 = 0
  /// What TLS adds: handshakes, the heads and tails of records, tickets and alerts; 0 without it.
  ///
  /// Also the part of a record whose rest has not come.
  public var tls: UInt64 = 0
  /// What compression took off the payload; less than nothing (wrapped) where it added some.
  public var saved: UInt64 = 0

  /// Counts nothing yet.
  public init() {}

  /// All bytes.
  public var total: UInt64 { payload &+ framing &+ control &+ http &+ tls &- saved }

  /// The sum of two ledgers.
  public static func + (left: Ledger, right: Ledger) -> Ledger {
    var sum = left
    sum.messages += right.messages
    sum.payload += right.payload
    sum.framing += right.framing
    sum.control += right.control
    sum.http += right.http
    sum.tls &+= right.tls
    sum.saved &+= right.saved
    return sum
  }

  /// What was added since an earlier reading.
  public static func - (left: Ledger, right: Ledger) -> Ledger {
    var difference = left
    difference.messages -= right.messages
    difference.payload -= right.payload
    difference.framing -= right.framing
    difference.control -= right.control
    difference.http -= right.http
    difference.tls &-= right.tls
    difference.saved &-= right.saved
    return difference
  }
}

/// What a session moved, both ways, as seen from this end.
public struct Traffic: Sendable, Equatable {
  /// Towards the peer.
  public var sent = Ledger()
  /// From the peer.
  public var received = Ledger()
  /// What the session's streams counted.
  ///
  /// A server's POST and poll connections are among them, whole, though a proxy may let several
  /// sessions share one.
  public var streams: [StreamCounters] = []
  /// What the kernel counted for the same streams, in the same order.
  public var kernel: [KernelCounters] = []

  /// Counts nothing yet.
  public init() {}
}

/// When the steps of a session's opening were done, in nanoseconds of `EventLoop.clock()`.
///
/// A step that was not taken yet is 0. Known on the client's side.
public struct Opening: Sendable, Equatable {
  /// The connection was begun.
  public var started: UInt64 = 0
  /// TCP was connected, through the proxy if there is one.
  public var connected: UInt64 = 0
  /// TLS was secured; stays 0 without it.
  public var secured: UInt64 = 0
  /// The request was handed to the stream.
  public var requested: UInt64 = 0
  /// The first byte of the answer came.
  public var answered: UInt64 = 0
  /// The session was open.
  public var opened: UInt64 = 0
  /// The first message came.
  public var firstMessage: UInt64 = 0

  /// Nothing was done yet.
  public init() {}
}
