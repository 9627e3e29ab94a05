import Testing
import Triwire

@testable import TriwireBench

@Suite("The null server")
struct NullServerTests {
  private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  @Test(
    "A client's frame is found once it is whole, at each of its lengths",
    arguments: [0, 125, 126, 65_536])
  func frames(length: Int) throws {
    let size: [UInt8] =
      switch length {
      case ..<126: [UInt8(length) | 128]
      case 126: [126 | 128, 0, 126]
      default: [127 | 128, 0, 0, 0, 0, 0, 1, 0, 0]
      }
    let frame = [0x82] + size + [1, 2, 3, 4] + [UInt8](repeating: 7, count: length)
    for cut in [0, 1, 5, frame.count - 1] where cut < frame.count {
      #expect(NullFraming.Frame(in: Array(frame[..<cut]), at: 0) == nil)
    }
    let found = try #require(NullFraming.Frame(in: [9] + frame + [9], at: 1))
    #expect(found.opcode == 2 && found.length == length)
    #expect(found.payload + found.length == frame.count + 1)
  }

  @Test("A frame that says it is longer than any message is never whole")
  func endless() {
    let head: [UInt8] = [0x81, 255, 127, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0]
    #expect(NullFraming.Frame(in: head, at: 0) == nil)
    #expect(NullFraming.Frame(in: [0x81] + [UInt8](repeating: 255, count: 30), at: 0) == nil)
  }

  @Test("Records of a batch are read as they were written, and a cut one is none")
  func records() {
    var batch: [UInt8] = []
    NullFraming.appendRecord(.text, bytes("hello").span, to: &batch)
    NullFraming.appendRecord(.binary, [UInt8](repeating: 1, count: 40_000).span, to: &batch)
    var offset = 0
    let first = NullFraming.record(in: batch, at: &offset)
    #expect(first?.kind == .text && first.map { Array(batch[$0.range]) } == bytes("hello"))
    let second = NullFraming.record(in: batch, at: &offset)
    #expect(second?.kind == .binary && second?.range.count == 40_000)
    #expect(NullFraming.record(in: batch, at: &offset) == nil)
    var start = 0
    #expect(NullFraming.record(in: Array(batch[..<3]), at: &start) == nil)
    var endless = 0
    #expect(NullFraming.record(in: [UInt8](repeating: 255, count: 12), at: &endless) == nil)
  }

  @Test("Of a request it knows who sent it, what it wants, and how long its body is")
  func heads() throws {
    let text =
      "POST /trials/37?session=abc HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
      + "content-type: application/octet-stream\r\n\r\nhello"
    for cut in [0, 10, text.utf8.count - 8] {
      #expect(NullFraming.Head(in: Array(bytes(text)[..<cut]), at: 0) == nil)
    }
    let post = try #require(NullFraming.Head(in: bytes("x" + text), at: 1))
    #expect(post.isPost && post.client == 37 && post.contentLength == 5 && post.isBinary)
    #expect(post.end == text.utf8.count + 1 - 5)
    let get = try #require(
      NullFraming.Head(
        in: bytes("GET /trials/0 HTTP/1.1\r\naccept: text/event-stream\r\n\r\n"), at: 0))
    #expect(!get.isPost && get.wantsEvents && get.key == nil)
    #expect(NullFraming.Head(in: bytes("\r\n\r\n"), at: 0) == nil)
  }

  @Test("Only what held at ease, in time and undisturbed, is known not to be client-limited")
  func ceilings() {
    let ceiling = { (measured: Measured) in
      var measured = measured
      measured.growth = nil
      return CeilingMeasurement(
        scenario: "x", transport: .webSocket,
        probe: CapacityProbe(
          measured.measurement, at: 100,
          of: CapacitySearch(vary: .rate, to: 100, slo: .init(), precision: 1, probes: 1),
          over: .seconds(1), Backlog()))
    }
    #expect(ceiling(Measured()).isEnough)
    #expect(ceiling(Measured()).fullCore == 5000)
    let full = ceiling(Measured(clientsBusy: 0.9))
    #expect(!full.isEnough && !full.isDisturbed)
    let late = ceiling(Measured(sentLate: 3000))
    #expect(!late.isEnough && late.isDisturbed)
    let lost = ceiling(Measured(lost: 3, failures: ["lost 3"], clientsBusy: 0.99))
    #expect(!lost.isEnough && !lost.isDisturbed)
    var unknown = ceiling(Measured())
    unknown.probe.sentLateP99 = nil
    #expect(!unknown.isEnough)
  }
}
