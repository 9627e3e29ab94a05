import FoundationEssentials
import Triwire

/// What a network interface has carried: IP packets, and their bytes with all headers.
public struct InterfaceCount: Sendable, Equatable, Codable {
  /// Bytes of IP packets.
  public var bytes: UInt64
  /// Packets.
  public var packets: UInt64
  /// Bytes of options with which TCP told of segments that came twice (RFC 2883): 12 each, and the one
  /// thing in a packet that no socket counts.
  public var duplicateReports: UInt64

  /// What was carried after an earlier count.
  static func - (later: InterfaceCount, earlier: InterfaceCount) -> InterfaceCount {
    InterfaceCount(
      bytes: later.bytes - min(later.bytes, earlier.bytes),
      packets: later.packets - min(later.packets, earlier.packets),
      duplicateReports: later.duplicateReports
        - min(later.duplicateReports, earlier.duplicateReports))
  }
}

extension InterfaceCount {
  /// What the loopback interface of this network namespace has sent so far (`/proc/net/dev`); `nil`
  /// where there is none, or where other interfaces say that the namespace is not ours alone.
  public static var ownLoopback: InterfaceCount? {
    let lines = readText("/proc/net/dev").split(separator: "\n").dropFirst(2).map { $0.trimmed }
    guard lines.count == 1, let line = lines.first, line.hasPrefix("lo:") else { return nil }
    let numbers = line.dropFirst(3).split(separator: " ").compactMap { UInt64($0) }
    // Eight of what was received stand before those of what was sent.
    guard numbers.count >= 10 else { return nil }
    return InterfaceCount(
      bytes: numbers[8], packets: numbers[9],
      duplicateReports: 12 * counter("TCPDSACKOldSent") + 20 * counter("TCPDSACKOfoSent"))
  }

  /// A counter of this network namespace's TCP (`/proc/net/netstat`); 0 where the kernel has none.
  private static func counter(_ name: String) -> UInt64 {
    let lines = readText("/proc/net/netstat").split(separator: "\n").filter {
      $0.hasPrefix("TcpExt:")
    }
    guard lines.count == 2 else { return 0 }
    let (names, values) = (lines[0].split(separator: " "), lines[1].split(separator: " "))
    return zip(names, values).first { $0.0 == name }.flatMap { UInt64($0.1) } ?? 0
  }
}

/// What the interface carried in the two phases of a trial, to the byte what was counted.
public struct InterfaceCheck: Sendable, Equatable, Codable {
  /// While the sessions were opened.
  public var opening: InterfaceCount?
  /// While messages were measured.
  public var measuring: InterfaceCount?
}

extension Measurement {
  /// Compares the counts of a phase with those of the interface, and fails the trial where they
  /// differ.
  mutating func check(
    _ phase: WritableKeyPath<InterfaceCheck, InterfaceCount?>, _ name: String,
    from before: Reading, to after: Reading
  ) {
    guard let earlier = before.interface, let later = after.interface,
      let served = before.server, let servedLater = after.server
    else { return }
    let carried = later - earlier
    let up = ByteLayers(from: before.clients, to: after.clients, isAccepting: false)
    let down = ByteLayers(from: served, to: servedLater, isAccepting: true)
    let counted = InterfaceCount(
      bytes: up.wire + down.wire + carried.duplicateReports, packets: up.segments + down.segments,
      duplicateReports: carried.duplicateReports)
    interface = interface ?? InterfaceCheck()
    interface?[keyPath: phase] = carried
    guard carried != counted else { return }
    failures.append(
      "while \(name) the interface carried \(grouped(carried.bytes)) bytes in "
        + "\(grouped(carried.packets)) packets, and \(grouped(counted.bytes)) in "
        + "\(grouped(counted.packets)) were counted")
  }
}
