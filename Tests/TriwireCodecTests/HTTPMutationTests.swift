import Testing
import TriwireCodec

@Suite("HTTP codecs on garbage")
struct HTTPMutationTests {
  static let requestSeeds = [
    "GET /healthz?a=b HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\nConnection: close\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: b\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX: 1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: [::1]\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\u{1}\u{2}",
  ]

  static let responseSeeds = [
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\n\r\nhelloHTTP/1.1 204 No Content\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "5\r\nhello\r\n0\r\n\r\n",
    "HTTP/1.0 404 Not Found\r\nServer: x\r\n\r\nuntil the end",
  ]

  @Test("A mutated request gives the same events at other cuts, and never a trap", arguments: 0..<8)
  func requestMutations(round: UInt64) {
    var generator = SeededGenerator(seed: round)
    for turn in 0..<1250 {
      let seed = HTTPMutationTests.requestSeeds[turn % HTTPMutationTests.requestSeeds.count]
      let bytes = mutated(Array(seed.utf8), using: &generator)
      let whole = requests([bytes[...]], ended: true)
      let cut = requests(Cuts.random(bytes, using: &generator), ended: true)
      if whole.observed != cut.observed {
        Issue.record("\(text(bytes).debugDescription): \(whole.observed) but \(cut.observed)")
      }
    }
  }

  @Test(
    "A mutated response gives the same events at other cuts, and never a trap", arguments: 0..<4)
  func responseMutations(round: UInt64) {
    var generator = SeededGenerator(seed: 1000 + round)
    for turn in 0..<1250 {
      let seed = HTTPMutationTests.responseSeeds[turn % HTTPMutationTests.responseSeeds.count]
      let bytes = mutated(Array(seed.utf8), using: &generator)
      let methods: [HTTPMethod] = [.get, .post, .head]
      let whole = responses([bytes[...]], to: methods, ended: true)
      let cut = responses(Cuts.random(bytes, using: &generator), to: methods, ended: true)
      if whole.observed != cut.observed {
        Issue.record("\(text(bytes).debugDescription): \(whole.observed) but \(cut.observed)")
      }
    }
  }

  @Test("Random bytes are refused or waited on, and never a trap")
  func noise() {
    var generator = SeededGenerator(seed: 77)
    for _ in 0..<2000 {
      let bytes = (0..<Int.random(in: 0..<60, using: &generator)).map { _ in
        UInt8.random(in: 0...255, using: &generator)
      }
      _ = requests([bytes[...]], ended: true)
      _ = responses([bytes[...]], ended: true)
    }
  }
}
