import Triwire

/// Clients beside those that are measured, who read more slowly than they are sent to.
///
/// Each is sent what one of the others is sent, and hears the broadcasts of its group; none of its
/// messages counts among those that are measured.
public struct SlowReaders: Sendable, Equatable, Codable {
  /// How many there are.
  public var clients: Int
  /// How many bytes of messages each reads in a second.
  public var reads: ByteCount
  /// How much the kernel keeps for each that is not read (SO_RCVBUF, which Linux doubles).
  public var receiveBuffer: ByteCount
  /// What the server does when one falls behind.
  public var policy: Policy
  /// How much waits for each in the server before that.
  public var queue: ByteCount

  /// What happens to messages for a client that has fallen behind.
  public enum Policy: String, Sendable, CaseIterable, Codable {
    /// The one that waits longest is dropped.
    case dropOldest = "drop-oldest"
    /// The new one is dropped.
    case dropNewest = "drop-newest"
    /// The one that waits of the same flow is dropped.
    case coalesce
    /// The session is closed with 1013.
    case disconnect

    /// The library's word for it.
    var inServer: SlowConsumerPolicy {
      switch self {
      case .dropOldest: .dropOldest
      case .dropNewest: .dropNewest
      case .coalesce: .latestPerKey
      case .disconnect: .close
      }
    }
  }

  /// The server's limits for their sessions.
  func limits(from usual: SessionLimits) -> SessionLimits {
    var limits = usual
    limits.slowConsumer = policy.inServer
    limits.queuedBytes = min(limits.queuedBytes, queue.bytes)
    limits.queuedBytesHard = queue.bytes
    limits.slowConsumerBytes = queue.bytes
    limits.slowConsumerMessages = 1 << 20
    return limits
  }
}

/// Reads the slow clients of a scenario file.
struct SlowReadersReader {
  let place: Place

  func read() -> SlowReaders? {
    guard let fields = place.fields(of: ScenarioSchema.slow) else { return nil }
    let clients = fields.required("clients", like: "5")?.whole(from: 1, to: 10_000)
    let reads: ByteCount? = fields.required("reads", like: "\"8 KB\"")?
      .quantity(like: "8 KB", from: ByteCount(1), to: ByteCount(1 << 30))
    let buffer = fields.value("receiveBuffer", default: ByteCount(16_384)) {
      $0.quantity(like: "16 KiB", from: ByteCount(2304), to: ByteCount(4 << 20))
    }
    let policy = fields.value("policy", default: SlowReaders.Policy.dropOldest) { $0.choice() }
    let queue = fields.value("queue", default: ByteCount(262_144)) {
      $0.quantity(like: "256 KiB", from: ByteCount(4096), to: ByteCount(256 << 20))
    }
    guard let clients, let reads, let buffer, let policy, let queue else { return nil }
    return SlowReaders(
      clients: clients, reads: reads, receiveBuffer: buffer, policy: policy, queue: queue)
  }
}

extension ScenarioReader {
  /// Refuses slow readers who would have nothing to read, or nobody to be sent the same as.
  func checkSlow(_ scenario: Scenario, _ fields: Fields, at profile: Place?) {
    guard let slow = scenario.slow, let place = profile ?? fields["slow"] else { return }
    if slow.clients > scenario.clients {
      place.refuse(
        "\(grouped(slow.clients)) slow clients are more than the \(grouped(scenario.clients)) "
          + "others, each of whom one is sent the same as")
    }
    let isHeard = scenario.traffic.contains { $0.from == .server }
    if !isHeard {
      place.refuse("the server sends nothing they could read slowly, write a flow \"down\"")
    }
    if scenario.sessions == .resumable {
      place.refuse("a resumable session keeps what is not read, write \"plain\" sessions")
    }
  }
}
