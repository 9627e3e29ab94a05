/// How event streams and the answers to polls are compressed (the content coding gzip, RFC 9110
/// §8.4.1.3), for clients that ask for it.
///
/// Each event can be read as soon as it is there, as the compressor is flushed behind it; that costs
/// 5 bytes of each. A compressed event stream keeps its compressor, with these defaults about 40 KB;
/// one compressor serves all polls of a loop.
public struct GzipOptions: Sendable, Equatable {
  /// The window to compress with, as a power of two, 9 to 15; 12 by default.
  public var windowBits = 12

  /// The memory that zlib spends on matching, 1 to 9; 5 by default.
  public var memoryLevel = 5

  /// How hard zlib tries, 1 to 9; 1 by default, since later levels cost more than they save.
  public var level = 1

  /// The answers to polls that are shorter than this are sent as they are, in bytes; 256 by default,
  /// as the coding has a head and a tail of 18 bytes and takes two header fields to say so.
  ///
  /// What belongs to an event stream is compressed whatever its length.
  public var threshold = 256

  /// The most that a body may grow in decompression, as a factor; 2,000 by default.
  ///
  /// Deflate cannot reach that (1,032 is its most), so that unless it is lowered the limit of
  /// messages alone bounds a bomb. It counts once a body is over 64 KiB.
  public var maximumRatio = 2000

  /// The default options.
  public init() {}
}
