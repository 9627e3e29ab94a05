import Glibc
import Triwire

// Many sessions of one process, for figures of sessions that survive; started by storm and upgrades.
// usage: Crowd storm HOST:PORT CLIENTS | Crowd upgrades HOST:PORT CLIENTS MESSAGES-EACH
// Each happening is a line of JSON; the last one has the figures.

struct Trouble: Error {
  let what: String
}

do {
  Process.raiseDescriptorLimit()
  let words = Array(CommandLine.arguments.dropFirst())
  let numbers = words.dropFirst(2).compactMap { Int($0) }.filter { $0 > 0 }
  switch (words.first, words.count, numbers.count) {
  case ("storm", 3, 1): try await Storm(server: words[1], clients: numbers[0]).run()
  case ("upgrades", 4, 2):
    try await Upgrades(server: words[1], clients: numbers[0], messages: numbers[1]).run()
  default: throw Trouble(what: "usage: Crowd storm HOST:PORT N | Crowd upgrades HOST:PORT N M")
  }
} catch {
  let text = "\(error)\n"
  write(STDERR_FILENO, text, text.utf8.count)
  exit(1)
}

/// Writes a line at once, as whoever reads it acts on it.
func tell(_ event: String, _ members: [(String, String)] = []) {
  let all = [("event", "\"\(event)\"")] + members
  let text = "{" + all.map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}\n"
  write(STDOUT_FILENO, text, text.utf8.count)
}

/// Does something for each number below `count`, at most 100 at a time.
func each<Result: Sendable>(
  _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Result
) async throws -> [Result] {
  try await withThrowingTaskGroup(of: (Int, Result).self) { group in
    var results: [Int: Result] = [:]
    for number in 0..<count {
      if number >= 100, let (done, result) = try await group.next() { results[done] = result }
      group.addTask { (number, try await body(number)) }
    }
    for try await (done, result) in group { results[done] = result }
    return (0..<count).compactMap { results[$0] }
  }
}
