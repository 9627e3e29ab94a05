/// How messages are compressed on a WebSocket (permessage-deflate, RFC 7692), if both sides agree.
///
/// Compression is off unless it is asked for: with these defaults it costs about 40 KB of memory
/// for each connection that keeps its context, and more CPU than anything else a message passes.
public struct DeflateOptions: Sendable, Equatable {
  /// The largest window this end compresses with, as a power of two, 9 to 15; 12 by default.
  ///
  /// zlib has no window of 8 bits to compress with. A peer that insists on one is sent plain
  /// messages.
  public var windowBits = 12

  /// The memory that zlib spends on matching, 1 to 9; 5 by default.
  public var memoryLevel = 5

  /// How hard zlib tries, 1 to 9; 1 by default, since later levels cost more than they save.
  public var level = 1

  /// The largest window the peer may compress with, 8 to 15; 12 by default.
  ///
  /// It bounds what decompressing costs here, where the peer lets itself be bounded.
  public var peerWindowBits = 12

  /// Whether this end keeps its window from message to message; true by default.
  ///
  /// Small messages that resemble each other need it to shrink at all. Without it one compressor
  /// serves all connections of a loop, and a broadcast is compressed once.
  public var contextTakeover = true

  /// Whether the peer may keep its window from message to message; true by default.
  public var peerContextTakeover = true

  /// Messages shorter than this are sent as they are, in bytes; 64 by default.
  public var threshold = 64

  /// The most that a message may grow in decompression, as a factor; 2,000 by default.
  ///
  /// Deflate cannot reach that (1,032 is its most), so that unless it is lowered the limit of the
  /// message alone bounds a bomb. It counts once a message is over 64 KiB.
  public var maximumRatio = 2000

  /// The default options.
  public init() {}
}
