/// Guesses what somebody meant who wrote a word that is not known.
package enum Suggestion {
  /// What else a transport is called, in lower case.
  private static let otherNames = [
    "ws": "websocket", "wss": "websocket", "web-socket": "websocket",
    "eventsource": "sse", "event-source": "sse", "server-sent-events": "sse",
    "longpolling": "long-polling", "long_polling": "long-polling", "longpoll": "long-polling",
    "long-poll": "long-polling", "polling": "long-polling", "poll": "long-polling",
  ]

  /// The known word that `word` is another name of, or is nearest to; `nil` when none is near.
  package static func nearest(to word: String, among known: some Sequence<String>) -> String? {
    let known = Array(known)
    if let other = otherNames[word.lowercased()], known.contains(other) { return other }
    return ranked(known, by: word).first { isNear($0.distance, word, $0.word) }?.word
  }

  /// Up to three known words that contain `word`, the nearest first; without any, those that are
  /// nearest to it.
  package static func several(for word: String, among known: some Sequence<String>) -> [String] {
    let ranked = ranked(Array(known), by: word)
    let part = word.lowercased()
    let longer = ranked.filter { part.count > 1 && $0.word.lowercased().contains(part) }
    guard longer.isEmpty else { return longer.prefix(3).map(\.word) }
    let near = ranked.filter { isNear($0.distance, word, $0.word) }
    return near.filter { $0.distance == near.first?.distance }.prefix(3).map(\.word)
  }

  /// `, did you mean X?` when a known word is near, an empty text otherwise.
  package static func phrase(
    for word: String, among known: some Sequence<String>, quoted quote: String
  ) -> String {
    phrase([nearest(to: word, among: known)].compactMap { $0 }, quoted: quote)
  }

  /// `, did you mean X, Y or Z?`; an empty text without words.
  package static func phrase(_ words: [String], quoted quote: String) -> String {
    let quoted = words.map { "\(quote)\($0)\(quote)" }
    guard let last = quoted.last else { return "" }
    let others = quoted.dropLast().joined(separator: ", ")
    return ", did you mean \(others.isEmpty ? "" : "\(others) or ")\(last)?"
  }

  /// The longest word that is compared with others; what is longer is no slip of one.
  private static let longestWord = 100

  /// The known words, the nearest first; none for a word that is too long to mean one.
  private static func ranked(
    _ known: [String], by word: String
  ) -> [(word: String, distance: Int)] {
    guard word.utf8.count <= longestWord else { return [] }
    let distances = known.map { (word: $0, distance: distance(word.lowercased(), $0.lowercased())) }
    return distances.enumerated().sorted {
      ($0.element.distance, $0.offset) < ($1.element.distance, $1.offset)
    }.map(\.element)
  }

  /// Whether a distance may be that of a slip: any two short words are a few letters apart.
  private static func isNear(_ distance: Int, _ word: String, _ known: String) -> Bool {
    distance <= max(1, min(word.count, known.count) / 3)
  }

  /// How many letters to insert, remove, replace or swap with their neighbour.
  private static func distance(_ one: String, _ other: String) -> Int {
    let (a, b) = (Array(one), Array(other))
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      for j in b.indices {
        var best = min(row[j] + 1, last[j + 1] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          best = min(best, beforeLast[j - 1] + 1)
        }
        row.append(best)
      }
      (beforeLast, last) = (last, row)
    }
    return last[b.count]
  }
}
