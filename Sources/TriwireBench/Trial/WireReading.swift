import Triwire

/// What the sessions of one process have moved since they were opened, and whether all who
/// counted it agree.
struct WireReading: Codable, Sendable {
  /// Towards the peer.
  var sent = ByteLayers()
  /// From the peer, with the segments that arrived here.
  var received = ByteLayers()
  /// TCP connections of the sessions.
  var connections: UInt64 = 0
  /// System calls of the loops.
  var systemCalls = 0
  /// Sessions open.
  var sessions = 0
  /// CPU time of the process in nanoseconds, before the sessions were read.
  var workBefore: UInt64
  /// The same after they were read: reading many costs something itself.
  var workAfter: UInt64
  /// What does not agree, as a sentence; the first session of which this is true.
  var disagreement: String?

  /// Reads the counters of sessions that move nothing at this moment; on their loop.
  init(of sessions: some Sequence<Session>, at side: String) {
    workBefore = Process.cpuNanoseconds
    workAfter = workBefore
    for session in sessions where session.isOpen { add(session.trafficNow, at: side) }
    workAfter = Process.cpuNanoseconds
  }

  private mutating func add(_ traffic: Traffic, at side: String) {
    var (up, down) = (ByteLayers(traffic.sent), ByteLayers(traffic.received))
    for stream in traffic.streams {
      up.socket += stream.bytesSent
      down.socket += stream.bytesReceived
    }
    for kernel in traffic.kernel {
      up.retransmitted = up.sentAgain + kernel.bytesRetransmitted
      up.segments += UInt64(kernel.segmentsSent)
      up.acknowledgements += UInt64(kernel.segmentsSent) - UInt64(kernel.dataSegmentsSent)
      down.segments += UInt64(kernel.segmentsReceived)
      down.acknowledgements +=
        UInt64(kernel.segmentsReceived) - UInt64(kernel.dataSegmentsReceived)
    }
    let kernelSent = traffic.kernel.reduce(0) { $0 + $1.bytesSent - $1.bytesRetransmitted }
    let kernelReceived = traffic.kernel.reduce(0) { $0 + $1.bytesReceived }
    check("sent", side, traffic.sent.total, up.socket, kernelSent)
    check("received", side, traffic.received.total, down.socket, kernelReceived)
    sent += up
    received += down
    connections += UInt64(traffic.kernel.count)
    sessions += 1
  }

  /// Notes when ledger, sockets and kernel counted different bytes.
  private mutating func check(
    _ verb: String, _ side: String, _ ledger: UInt64, _ socket: UInt64, _ kernel: UInt64
  ) {
    guard disagreement == nil, ledger != socket || socket != kernel else { return }
    disagreement =
      "a session of the \(side) \(verb) \(grouped(ledger)) bytes by its ledger, "
      + "\(grouped(socket)) by its sockets and \(grouped(kernel)) by the kernel's count"
  }
}

extension ByteLayers {
  /// The layers of a ledger; what sockets and kernel counted is still missing.
  fileprivate init(_ ledger: Ledger) {
    payload = ledger.payload
    framing = ledger.framing
    control = ledger.control
    http = ledger.http
    tls = ledger.tls
    // Wrapped where compression added something.
    let saved = Int64(bitPattern: ledger.saved)
    self.saved = saved == 0 ? nil : saved
  }

  /// What one direction moved between two readings of the side that sends it.
  ///
  /// TCP and IP headers are 52 bytes per segment; a SYN has 8 bytes more than that, and the kernel
  /// does not count the SYN-ACK of the side that accepts (60 bytes).
  init(from before: WireReading, to after: WireReading, isAccepting: Bool) {
    self.init(before.sent, after.sent)
    retransmitted = after.sent.sentAgain - before.sent.sentAgain
    let opened = after.connections - before.connections
    if isAccepting {
      segments += opened
      acknowledgements += opened
    }
    tcpip = 52 * segments + 8 * opened
  }

  /// What arrived between two readings of the side that connected.
  ///
  /// Its kernel counts all segments that came, the SYN-ACK (60 bytes) with them; which bytes came
  /// again only the one who sent them knows.
  init(arrivedFrom before: WireReading, to after: WireReading) {
    self.init(before.received, after.received)
    retransmitted = nil
    tcpip = 52 * segments + 8 * (after.connections - before.connections)
  }

  /// The differences of two counts.
  private init(_ before: ByteLayers, _ after: ByteLayers) {
    payload = after.payload - before.payload
    framing = after.framing - before.framing
    control = after.control - before.control
    http = after.http - before.http
    tls = after.tls - before.tls
    let saved = (after.saved ?? 0) - (before.saved ?? 0)
    self.saved = saved == 0 ? nil : saved
    socket = after.socket - before.socket
    segments = after.segments - before.segments
    acknowledgements = after.acknowledgements - before.acknowledgements
  }
}
