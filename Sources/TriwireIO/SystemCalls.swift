/// System calls made, by what they were for.
public struct SystemCalls: Sendable, Equatable {
  /// `epoll_wait`.
  public var wait = 0
  /// `recv`.
  public var receive = 0
  /// `send`.
  public var send = 0
  /// `accept4`.
  public var accept = 0
  /// `socket`, `connect`, `setsockopt` and `bind` of outgoing connections.
  public var connect = 0
  /// `epoll_ctl`.
  public var register = 0
  /// `shutdown` and `close`.
  public var close = 0
  /// Reads of wake-up and timer descriptors, and arming of timers.
  public var wake = 0

  /// Counts nothing yet.
  public init() {}

  /// All of them together.
  public var total: Int { wait + receive + send + accept + connect + register + close + wake }

  /// The sum of two counts.
  public static func + (left: SystemCalls, right: SystemCalls) -> SystemCalls {
    var sum = left
    sum.wait += right.wait
    sum.receive += right.receive
    sum.send += right.send
    sum.accept += right.accept
    sum.connect += right.connect
    sum.register += right.register
    sum.close += right.close
    sum.wake += right.wake
    return sum
  }
}
