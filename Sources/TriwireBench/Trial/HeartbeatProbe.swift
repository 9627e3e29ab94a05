import Triwire

/// One idle session whose server keeps it alive at a short interval, to count what a heartbeat costs.
enum HeartbeatProbe {
  /// From one heartbeat to the next: longer than the kernel waits with an acknowledgement, 40 ms
  /// here, with the time after it in which nothing must move.
  private static let interval = 0.25
  /// Nothing has moved for so long in nanoseconds: a heartbeat is over.
  private static let quiet: UInt64 = 100_000_000
  private static let step: UInt64 = 10_000_000
  private static let beats: UInt64 = 3
  private static let patience: UInt64 = 5_000_000_000

  /// The limits of the session at the server.
  static func limits(from usual: SessionLimits) -> SessionLimits {
    var limits = usual
    limits.heartbeatSeconds = interval
    limits.pollHoldSeconds = interval
    return limits
  }

  /// Opens the session and counts until it has seen some heartbeats, or for five seconds.
  ///
  /// - Returns: What one cost; `nil` where too few were seen apart from each other.
  /// - Throws: `ConnectError`, `CancellationError`.
  static func measure(
    at server: String, over transport: TransportKind, _ configuration: TriwireClient.Configuration
  ) async throws -> HeartbeatMeasurement? {
    let session = try await TriwireClient(
      "\(server)\(TrialPath.beat)", configuration: configuration
    )
    .connect(over: [transport])
    defer { session.abort() }
    let end = EventLoop.clock() + patience
    var first: Moved?
    var (last, since) = (Moved(await session.traffic()), EventLoop.clock())
    // What was there when the last heartbeat was over.
    var (settled, seen) = (last, UInt64(0))
    while case let now = EventLoop.clock(), now < end {
      try await Task.sleep(nanoseconds: step)
      let moved = Moved(await session.traffic())
      if moved != last { (last, since) = (moved, now) }
      guard now > since + quiet, first == nil || moved != settled else { continue }
      settled = moved
      guard let start = first else {
        first = moved
        continue
      }
      seen += 1
      if seen == beats { return cost(from: start, to: moved, configuration.session, transport) }
    }
    return nil
  }

  /// What the kernel counted at the client, of both directions.
  private struct Moved: Equatable {
    var (up, down) = (UInt64(0), UInt64(0))
    var packets: UInt64 = 0

    init(_ traffic: Traffic) {
      for kernel in traffic.kernel {
        up += kernel.bytesSent + 52 * UInt64(kernel.segmentsSent)
        down += kernel.bytesReceived + 52 * UInt64(kernel.segmentsReceived)
        packets += UInt64(kernel.segmentsSent) + UInt64(kernel.segmentsReceived)
      }
    }
  }

  private static func cost(
    from first: Moved, to last: Moved, _ usual: SessionLimits, _ transport: TransportKind
  ) -> HeartbeatMeasurement {
    let each = { (part: KeyPath<Moved, UInt64>) in
      Double(last[keyPath: part] - first[keyPath: part]) / Double(beats)
    }
    return HeartbeatMeasurement(
      beats: beats, wireBytesUp: each(\.up), wireBytesDown: each(\.down), packets: each(\.packets),
      secondsBetween: transport == .longPolling ? usual.pollHoldSeconds : usual.heartbeatSeconds)
  }
}
