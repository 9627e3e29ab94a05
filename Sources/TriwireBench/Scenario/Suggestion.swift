/// Guesses what somebody meant who wrote a word that is not known.
package enum Suggestion {
  /// The known word nearest to `word`, or `nil` when none is near.
  package static func nearest(to word: String, among known: some Sequence<String>) -> String? {
    let ranked = known.map { (word: $0, distance: distance(word.lowercased(), $0.lowercased())) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, min(word.count, best.word.count) / 3 + 1) ? best.word : nil
  }

  /// `; did you mean X?` when a known word is near, an empty text otherwise.
  package static func phrase(
    for word: String, among known: some Sequence<String>, quoted quote: String
  ) -> String {
    nearest(to: word, among: known).map { ", did you mean \(quote)\($0)\(quote)?" } ?? ""
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
