public import Triwire

/// Whether messages are compressed on their way.
public enum Compression: String, Sendable, CaseIterable, Codable {
  /// They go as they are.
  case off
  /// WebSocket messages by permessage-deflate (RFC 7692), event streams and the answers to polls by
  /// gzip (RFC 9110 §8.4.1.3); requests go as they are.
  case on

  /// The word behind a transport's name.
  var name: String { self == .on ? "compressed" : "as it is" }
}

/// What a scenario compares with others: a transport, secured in one way or not at all, compressed or
/// not.
public struct Contender: Sendable, Hashable {
  /// What carries the sessions.
  public let transport: TransportKind
  /// How their connections are secured.
  public let tls: TLSMode
  /// Whether messages are compressed.
  public let compression: Compression
  /// The interval of the polls where it is the control that polls at one, over long polling's own
  /// requests; `nil` is a transport.
  public let poll: TimeSpan?

  /// A transport in a mode of TLS; not compressed, and no control, unless said.
  init(
    transport: TransportKind, tls: TLSMode, compression: Compression = .off,
    poll: TimeSpan? = nil
  ) {
    self.transport = transport
    self.tls = tls
    self.compression = compression
    self.poll = poll
  }

  /// What data calls it: a transport's name, or `polling`.
  var kind: String { poll == nil ? transport.rawValue : "polling" }

  /// In how many ways it differs from another.
  func differences(from other: Contender) -> Int {
    [
      transport != other.transport || poll != other.poll, tls != other.tls,
      compression != other.compression,
    ]
    .count { $0 }
  }

  /// Whether another has the same settings, whatever carries it.
  func isLike(_ other: Contender) -> Bool { tls == other.tls && compression == other.compression }
}

extension Scenario {
  /// All that the scenario compares, the settings of a transport beside each other.
  var contenders: [Contender] {
    transports.flatMap { transport in
      tls.flatMap { mode in
        compressions.map { Contender(transport: transport, tls: mode, compression: $0) }
      }
    }
      + (controlPoll.map { poll in
        tls.flatMap { mode in
          compressions.map {
            Contender(transport: .longPolling, tls: mode, compression: $0, poll: poll)
          }
        }
      } ?? [])
  }

  /// Whether messages are compressed: everything is measured in each of these ways.
  var compressions: [Compression] { compression ?? [.off] }

  /// What a contender is called among the others: `sse`, or `sse TLS 1.3`, `sse compressed` where
  /// there are several settings.
  func name(of contender: Contender) -> String {
    let transport =
      contender.poll.map { "polling \($0) (control)" } ?? contender.transport.rawValue
    return ([transport] + settings(of: contender)).joined(separator: " ")
  }

  /// The settings of a contender that others do not share.
  func settings(of contender: Contender) -> [String] {
    let parts = [
      tls.count > 1 ? contender.tls.name : nil,
      compressions.count > 1 && contender.compression == .on ? contender.compression.name : nil,
    ]
    return parts.compactMap { $0 }
  }

  /// What the scenario is about, as sentences; a setting is a part of it where there is only one.
  var summary: String {
    let mode = tls.count == 1 && tls != [.off] ? tls[0].name : ""
    let coding = compressions == [.on] ? "Compressed" : ""
    return [description, mode, coding].filter { !$0.isEmpty }.joined(separator: ". ")
  }
}
