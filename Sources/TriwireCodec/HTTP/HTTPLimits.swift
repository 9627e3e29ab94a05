/// What a peer may make this end hold or read of one message.
///
/// Each has a default that ordinary traffic does not reach; a violation names the one it broke.
public struct HTTPLimits: Equatable, Sendable {
  /// The longest request line or status line, without CRLF; 8,192 bytes by default.
  ///
  /// RFC 9112 §3 asks for 8,000 at least. Beyond it a request is answered with 414.
  public var requestLineBytes = 8192

  /// The longest head, from the start line to the empty line; 16,384 bytes by default.
  ///
  /// It is held in memory until it is whole. Beyond it a request is answered with 431.
  public var headBytes = 16384

  /// The most header fields in a head or a trailer section; 100 by default.
  ///
  /// Looking a field up goes through all of them. Beyond it a request is answered with 431.
  public var headerCount = 100

  /// The longest body; 1 MiB by default.
  ///
  /// Judged at the head if the length stands there, or else as soon as the chunks exceed it; 413.
  /// A client that follows an endless stream sets it to `Int.max`.
  public var bodyBytes = 1 << 20

  /// The most bytes of chunk extensions in one body; 4,096 by default.
  ///
  /// Nobody reads them, and tiny chunks with long extensions are a known way to waste time.
  public var chunkExtensionBytes = 4096

  /// The longest trailer section with its empty line; 4,096 bytes by default.
  ///
  /// Like a head it is held in memory until it is whole; 431.
  public var trailerBytes = 4096

  /// The most empty lines before a request line; 2 by default.
  ///
  /// RFC 9112 §2.2 asks to ignore at least one: some old clients send one after a body.
  public var emptyLinesBeforeRequest = 2

  /// The most interim (1xx) responses before a final one; 16 by default.
  ///
  /// More of them would keep a client waiting for ever.
  public var interimResponses = 16

  /// Creates the default limits.
  public init() {}
}
