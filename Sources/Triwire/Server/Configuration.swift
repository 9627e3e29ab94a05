public import TriwireCodec
public import TriwireIO

extension TriwireServer {
  /// The settings of a server.
  public struct Configuration: Sendable {
    /// Loops, each a thread; one per core when nil.
    public var loops: Int?
    /// Cores to pin the loops to, in turn; empty leaves the choice to the kernel.
    public var cpus: [Int] = []
    /// The limits of requests.
    public var http = HTTPLimits()
    /// The limits of sessions.
    public var session = SessionLimits()
    /// How sessions survive their connections, if their clients can.
    public var resume = ResumeOptions()
    /// Seconds over which the clients of resumable sessions spread when they come back after the
    /// server has stopped, to it or to another; 5 by default.
    public var drainSeconds = 5.0
    /// How WebSocket messages are compressed, where the client can; nil, the default, is not at all.
    public var deflate: DeflateOptions?
    /// How event streams and the answers to polls are compressed, for clients that ask for it; nil,
    /// the default, is not at all.
    ///
    /// Who mixes secrets with text of others in one stream sends the former with
    /// ``MessageCompression/noContextTakeover``; a poll's answer is compressed as one, and is not for
    /// such messages.
    public var gzip: GzipOptions?
    /// How much of the past each topic keeps.
    public var history = Topic.History()
    /// The most topics; 1,000 by default, since each may keep its history's bytes.
    ///
    /// When one more is asked for, one that nobody subscribes to is forgotten.
    public var topics = 1000
    /// Seconds a request's head may take from its first byte; 10 by default.
    public var headSeconds = 10.0
    /// Seconds a request's body may stand still; 30 by default.
    public var bodySeconds = 30.0
    /// Seconds a connection is kept between two requests; 75 by default.
    public var keepAliveSeconds = 75.0
    /// The certificate and how it is used; nil, the default, serves without TLS.
    public var tls: TLSServerOptions?
    /// Whether responses carry a `Date` (RFC 9110 §6.6.1 wants it of a server with a clock).
    public var sendsDate = true
    /// The largest TCP segment, in bytes; nil leaves it to the route.
    ///
    /// For measuring on loopback, where segments are else larger than on any Ethernet.
    public var maximumSegment: Int?
    /// The congestion control algorithm by its kernel name; nil leaves the system's.
    public var congestionControl: String?

    /// The default settings.
    public init() {}

    /// How often a connection's deadlines are looked at, at least: each is met within twice its
    /// time, and the usual ones within 5 s more.
    var checkNanoseconds: UInt64 {
      min(headSeconds, bodySeconds, keepAliveSeconds, 5).nanoseconds
    }
  }
}
