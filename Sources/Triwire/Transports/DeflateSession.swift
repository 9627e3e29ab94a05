import TriwireCodec

/// Compressors that keep nothing from message to message, shared by the sessions of a loop.
final class DeflatePool {
  private var deflaters: [Key: Deflater] = [:]
  private var inflaters: [Int: [Inflater]] = [:]

  private struct Key: Hashable {
    let windowBits: Int
    let memoryLevel: Int
    let level: Int
  }

  /// Idle decompressors kept for each size of window.
  private static let idleInflaters = 8

  /// The compressor for these settings.
  ///
  /// Always used without keeping its context.
  func deflater(windowBits: Int, _ options: DeflateOptions) -> Deflater {
    let key = Key(windowBits: windowBits, memoryLevel: options.memoryLevel, level: options.level)
    if let deflater = deflaters[key] { return deflater }
    let deflater = Deflater(
      windowBits: windowBits, memoryLevel: options.memoryLevel, level: options.level)
    deflaters[key] = deflater
    return deflater
  }

  /// A decompressor at the start of a message, to be given back when the message is whole.
  func takeInflater(windowBits: Int) -> Inflater {
    inflaters[windowBits]?.popLast() ?? Inflater(windowBits: windowBits)
  }

  func giveBack(_ inflater: Inflater, windowBits: Int) {
    guard inflaters[windowBits, default: []].count < Self.idleInflaters else { return }
    inflater.reset()
    inflaters[windowBits, default: []].append(inflater)
  }
}

/// What one WebSocket needs for permessage-deflate, on either side.
final class DeflateSession {
  let options: DeflateOptions
  private let pool: DeflatePool
  private let ownWindowBits: Int
  private let ownTakeover: Bool
  private let peerWindowBits: Int
  private let peerTakeover: Bool
  private var deflater: Deflater?
  private var inflater: Inflater?
  /// Of a message that is not whole yet: its UTF-8 so far, and its bytes on the wire.
  var text = UTF8Validator()
  var wireBytes = 0
  /// What compression took off the payload so far, each way.
  var savedSent = 0
  var savedReceived = 0

  init(
    _ agreement: DeflateAgreement, _ options: DeflateOptions, role: WebSocketRole,
    pool: DeflatePool
  ) {
    self.options = options
    self.pool = pool
    let isServer = role == .server
    ownWindowBits = isServer ? agreement.serverWindowBits : agreement.clientWindowBits
    peerWindowBits = isServer ? agreement.clientWindowBits : agreement.serverWindowBits
    ownTakeover =
      !(isServer ? agreement.serverNoContextTakeover : agreement.clientNoContextTakeover)
    peerTakeover =
      !(isServer ? agreement.clientNoContextTakeover : agreement.serverNoContextTakeover)
  }

  /// The window that all messages are compressed with alone, or nil when each session keeps its own
  /// context, so that a broadcast can be compressed once.
  var sharedWindowBits: Int? { ownTakeover || ownWindowBits < 9 ? nil : ownWindowBits }

  /// A compressed message, or nil when it is to be sent as it is.
  func compress(_ payload: Span<UInt8>, _ choice: MessageCompression) -> [UInt8]? {
    // zlib cannot compress with a window of 8 bits; plain messages are always allowed.
    guard choice != .never, payload.count >= options.threshold, ownWindowBits >= 9 else {
      return nil
    }
    guard ownTakeover else {
      let alone = pool.deflater(windowBits: ownWindowBits, options)
        .compress(payload, keepingContext: false)
      return alone.count < payload.count ? alone : nil
    }
    if deflater == nil {
      deflater = Deflater(
        windowBits: ownWindowBits, memoryLevel: options.memoryLevel, level: options.level)
    }
    let compressed = deflater?.compress(payload, keepingContext: choice != .noContextTakeover)
    if let compressed, compressed.count < payload.count { return compressed }
    // It goes as it is, and then no later message may refer to it.
    deflater?.forgetContext()
    return nil
  }

  /// Decompresses a piece of a message.
  func decompress(
    _ piece: Span<UInt8>, isLast: Bool, limit: Int, _ body: (Span<UInt8>) -> Bool
  ) throws(Inflater.Failure) {
    let current = inflater ?? pool.takeInflater(windowBits: peerWindowBits)
    inflater = current
    try current.decompress(
      piece, isLast: isLast, limit: limit, ratio: options.maximumRatio, body)
    if isLast, !peerTakeover {
      inflater = nil
      pool.giveBack(current, windowBits: peerWindowBits)
    }
  }
}
