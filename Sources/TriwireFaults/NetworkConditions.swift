/// What a network does to the bytes of each connection that a relay passes on.
///
/// Every connection has a line of its own, so a client with two connections has two. What a relay
/// cannot do is what lies below its sockets: slow start, congestion windows and real
/// retransmissions; `loss` stands for the waits they would mean. A reset passes like the end of a
/// direction does; the connect of TCP is paid by the first byte.
public struct NetworkConditions: Sendable, Hashable {
  /// The time of a round trip; each direction takes half of it.
  public var roundTrip: Duration
  /// How much shorter or longer the way of a segment may take, each equally likely; order is kept.
  ///
  /// It counts for each direction, and at most half of `roundTrip` of it.
  public var jitter: Duration
  /// Bits per second from the server to the client, headers of TCP and IP included; nil is no limit.
  public var downRate: Int?
  /// Bits per second from the client to the server, headers of TCP and IP included; nil is no limit.
  public var upRate: Int?
  /// How likely each segment is lost at first, from 0 up to but not including 1.
  public var loss: Double
  /// Whether losses are independent of each other or come in bursts.
  public var losses: LossPattern
  /// Bytes that may wait for the line, beyond those that are on it.
  public var queueBytes: Int

  /// Sets the conditions; a network that does nothing unless told.
  public init(
    roundTrip: Duration = .zero, jitter: Duration = .zero, downRate: Int? = nil,
    upRate: Int? = nil, loss: Double = 0, losses: LossPattern = .independent,
    queueBytes: Int = 65_536
  ) {
    self.roundTrip = roundTrip
    self.jitter = jitter
    self.downRate = downRate
    self.upRate = upRate
    self.loss = loss
    self.losses = losses
    self.queueBytes = queueBytes
  }

  /// What loss leaves of a rate: 1.22 · MSS / (RTT · √p), of Mathis, Semke, Mahdavi and Ott (1997).
  ///
  /// Their p counts the times that TCP has to slow down; a burst of losses is one of them.
  var lossRate: Double? {
    guard loss > 0, roundTrip > .zero else { return nil }
    let seconds = Double(roundTrip.nanoseconds) / 1e9
    let times = loss / losses.together
    return 1.22 * Double(Wire.segment) * 8 / (seconds * times.squareRoot())
  }

  /// The rate of a direction in bits per second, as far as there is a limit.
  func rate(_ way: Directions) -> Double? {
    let own = (way == .up ? upRate : downRate).map(Double.init)
    guard let own, let lossRate else { return own ?? lossRate }
    return min(own, lossRate)
  }
}

/// How the losses of a connection follow each other.
public enum LossPattern: Sendable, Hashable {
  /// Each segment is as likely to be lost as any other.
  case independent
  /// Losses come in a row, so many on average (at least 1), and as many in all.
  ///
  /// This is the model of Gilbert (1960), which Elliott extended (1963): a direction is either good,
  /// and loses nothing, or bad, and loses each segment; each segment sent, or sent again, may change
  /// that. A burst is counted in segments and lasts as long as it takes to send them.
  case bursts(mean: Double = 3)

  /// How many losses TCP answers by slowing down once.
  var together: Double {
    switch self {
    case .independent: 1
    case .bursts(let mean): max(mean, 1)
    }
  }
}

/// Networks by name.
///
/// `slow4G`, `slow3G` and `fast4G` have the round trips and rates that the developer tools of
/// Chromium are to imitate, without the factors these apply to requests; `threeG` is that of
/// WebPageTest.
public enum NetworkProfile: String, Sendable, CaseIterable, Codable {
  /// What the machine itself takes, and nothing more.
  case loopback
  /// 1 ms, 1 Gbit/s.
  case lan
  /// 40 ms, 100 Mbit/s down, 20 up.
  case wan
  /// 150 ms, each way 5 ms more or less, 50 Mbit/s down, 10 up.
  case intercontinental
  /// 60 ms, 9 Mbit/s down, 1.5 up.
  case fast4G = "fast-4g"
  /// 150 ms, 1.6 Mbit/s down, 750 kbit/s up.
  case slow4G = "slow-4g"
  /// 300 ms, 1.6 Mbit/s down, 768 kbit/s up.
  case threeG = "3g"
  /// 400 ms, 500 kbit/s each way.
  case slow3G = "slow-3g"
  /// 600 ms, 20 Mbit/s down, 3 up.
  case satellite
  /// `slow4G` that loses 2 % of the segments.
  case lossy4G = "lossy-4g"

  /// What the network does.
  public var conditions: NetworkConditions {
    func network(
      _ milliseconds: Int, down: Int, up: Int, jitter: Int = 0, loss: Double = 0
    ) -> NetworkConditions {
      NetworkConditions(
        roundTrip: .milliseconds(milliseconds), jitter: .milliseconds(jitter),
        downRate: down * 1000, upRate: up * 1000, loss: loss)
    }
    return switch self {
    case .loopback: NetworkConditions()
    case .lan: network(1, down: 1_000_000, up: 1_000_000)
    case .wan: network(40, down: 100_000, up: 20_000)
    case .intercontinental: network(150, down: 50_000, up: 10_000, jitter: 5)
    case .fast4G: network(60, down: 9000, up: 1500)
    case .slow4G: network(150, down: 1600, up: 750)
    case .threeG: network(300, down: 1600, up: 768)
    case .slow3G: network(400, down: 500, up: 500)
    case .satellite: network(600, down: 20_000, up: 3000)
    case .lossy4G: network(150, down: 1600, up: 750, loss: 0.02)
    }
  }
}
