public import Triwire

/// What a scenario compares with others: a transport, secured in one way or not at all.
public struct Contender: Sendable, Hashable {
  /// What carries the sessions.
  public let transport: TransportKind
  /// How their connections are secured.
  public let tls: TLSMode
}

extension Scenario {
  /// All that the scenario compares, the modes of a transport beside each other.
  var contenders: [Contender] {
    transports.flatMap { transport in
      tls.map { Contender(transport: transport, tls: $0) }
    }
  }

  /// What a contender is called among the others: `sse`, or `sse TLS 1.3` where there are several
  /// modes.
  func name(of contender: Contender) -> String {
    let transport = contender.transport.rawValue
    return tls.count > 1 ? "\(transport) \(contender.tls.name)" : transport
  }

  /// What the scenario is about, as sentences; the mode is a part of it where there is only one.
  var summary: String {
    let mode = tls.count == 1 && tls != [.off] ? tls[0].name : ""
    return [description, mode].filter { !$0.isEmpty }.joined(separator: ". ")
  }
}
