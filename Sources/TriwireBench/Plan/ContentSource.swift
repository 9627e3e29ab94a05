/// What messages are filled from where a flow has a content.
enum ContentSource {
  /// How many bytes there are to choose a message's part from: more than the largest window of deflate
  /// (32 KiB), many times.
  static let variety = 1 << 20

  /// Where a message's part begins: far from those of the messages before and after it, for each sender
  /// elsewhere.
  static func offset(of stamp: Stamp) -> Int {
    // Odd numbers, so that a sender comes to every place before it comes to one again.
    (Int(stamp.sequence) &* 167_773 &+ stamp.sender &* 524_309) & (variety - 1)
  }
}

extension Flow.Content {
  /// So many bytes of it, the same each time.
  func bytes(_ kind: Flow.Kind, _ count: Int) -> [UInt8] {
    var source = RandomSource(seed: 0x7269_7769_7265)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 128)
    while bytes.count < count {
      switch self {
      case .json: bytes += Self.quote(&source)
      case .random where kind == .text:
        bytes.append(Self.letters[Int.random(in: 0..<64, using: &source)])
      case .random: bytes.append(UInt8.random(in: 0...255, using: &source))
      }
    }
    return Array(bytes.prefix(count))
  }

  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
  private static let symbols = [
    "EURUSD", "USDJPY", "GBPUSD", "AUDUSD", "USDCHF", "NZDUSD", "USDCAD",
  ]
  private static let venues = ["XLON", "XNYS", "XTKS", "XETR", "XPAR", "XSWX"]

  private static func quote(_ source: inout RandomSource) -> [UInt8] {
    let symbol = symbols[Int.random(in: 0..<symbols.count, using: &source)]
    let venue = venues[Int.random(in: 0..<venues.count, using: &source)]
    let price = Int.random(in: 50_000...150_000, using: &source)
    let size = Int.random(in: 1...500, using: &source) * 1000
    let time = Int.random(in: 0..<86_400_000, using: &source)
    return Array(
      "{\"symbol\":\"\(symbol)\",\"venue\":\"\(venue)\",\"bid\":\(price),\"ask\":\(price + 2),"
        .utf8)
      + Array("\"size\":\(size),\"time\":\(time),\"isOpen\":true},".utf8)
  }
}
