/// A place in a topic: what somebody has seen of it.
///
/// On the wire it is `EPOCH.NUMBER`, which clients hand back and do not read. The epoch is one life of
/// the topic; a server that starts again begins another, so that a position of before is not taken
/// for one of now.
public struct TopicPosition: Sendable, Hashable, CustomStringConvertible {
  let epoch: String
  /// How many messages of this life of the topic came up to here; 0 is the beginning.
  public let number: UInt64

  init(epoch: String, number: UInt64) {
    self.epoch = epoch
    self.number = number
  }

  /// Reads what `description` wrote.
  ///
  /// Any other text is a position that no topic has ever had: who subscribes after it is told that
  /// messages are missing, as after a restart.
  public init(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].utf8.count == SessionToken.epochBytes,
      let number = UInt64(parts[1])
    else {
      self.init(epoch: "", number: 0)
      return
    }
    self.init(epoch: String(parts[0]), number: number)
  }

  /// As it stands on the wire.
  public var description: String { "\(epoch).\(number)" }
}
