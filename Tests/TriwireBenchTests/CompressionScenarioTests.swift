import Testing
import Triwire

@testable import TriwireBench

@Suite("Scenarios with compression")
struct CompressionScenarioTests {
  private func scenario(_ keys: String, flow: String = "") throws -> Scenario {
    try load(
      """
      {"name": "x", "clients": 4, \(keys) "traffic": [
        {"direction": "echo", "rate": "10/s per client", "payload": "4 KB"\(flow)}]}
      """
    ).scenario
  }

  @Test("Compression is off, on, or both, and comes back from JSON as it was")
  func reading() throws {
    #expect(try scenario("").compression == nil)
    #expect(try scenario("\"compression\": \"on\",").compression == [.on])
    let both = try scenario("\"compression\": [\"off\", \"on\"],", flow: ", \"content\": \"json\"")
    #expect(both.compression == [.off, .on])
    #expect(both.traffic[0].content == .json)
    let text = try encodeLine(both)
    let again: Scenario = try decodeLine(String(decoding: text, as: UTF8.self))
    #expect(again == both)
  }

  @Test(
    "What does not go is refused with what to write instead",
    arguments: [
      ("\"compression\": true,", "", "this is true, write \"on\""),
      ("\"compression\": \"gzip\",", "", "\"gzip\" is not one of \"off\", \"on\""),
      ("\"compression\": [],", "", "the list is empty"),
      ("\"compression\": [\"on\", \"on\"],", "", "one of them stands here twice, remove one"),
      ("", ", \"content\": \"text\"", "\"text\" is not one of \"json\", \"random\""),
      ("", ", \"content\": \"json\", \"kind\": \"binary\"", "JSON is text, write \"random\""),
    ])
  func refusals(_ keys: String, _ flow: String, _ sentence: String) throws {
    let error = #expect(throws: ScenarioError.self) { try scenario(keys, flow: flow) }
    #expect(error?.description.contains(sentence) == true, "\(error?.description ?? "")")
  }

  @Test("Each setting is a contender, compared with those that differ from it in one thing")
  func contenders() throws {
    let report = try Sample(
      transports: [.webSocket, .serverSentEvents], keys: "\"compression\": [\"off\", \"on\"],"
    ).report()
    #expect(
      Set(report.comparisons.map { "\($0.contender) against \($0.against)" }) == [
        "websocket compressed against websocket", "sse against websocket",
        "sse compressed against websocket compressed", "sse compressed against sse",
      ])
    #expect(report.trials.count == 12)
    #expect(report.trials.count { $0.compression == .on } == 6)
    let comparisons = report.scenarios.map { Comparison($0, in: report) }
    #expect(report.answers(comparisons).map(\.scenario) == ["x", "x, compressed"])
    let files = try ReportFormat.hdr.files(of: [report]).map(\.name)
    #expect(files.contains { $0.contains("sse-compressed") } && Set(files).count == files.count)
  }

  @Test("A run that is resumed knows which of them it has measured")
  func resuming() throws {
    let report = try Sample(
      transports: [.webSocket], keys: "\"compression\": [\"off\", \"on\"],"
    ).report()
    var part = report
    part.trials.removeAll { $0.compression == .on }
    let missing = Plan(of: report).trials.filter { !part.has($0) }
    #expect(missing.count == 3 && missing.allSatisfy { $0.contender.compression == .on })
  }

  @Test(
    "Contents shrink as far as they should, and are others in each message",
    arguments: [
      (Flow.Content.json, Flow.Kind.text, 0.12...0.28), (.random, .text, 0.74...0.8),
      (.random, .binary, 0.99...1.02),
    ])
  func contents(_ content: Flow.Content, _ kind: Flow.Kind, _ part: ClosedRange<Double>) throws {
    let flow = Flow(
      name: "x", direction: .down, from: .server, rate: try Rate(parsing: "1/s per client"),
      arrivals: .periodic, burst: nil, payload: .fixed(ByteCount(4000)), kind: kind,
      content: content)
    var buffer = PayloadBuffer(for: flow)
    var all: [UInt8] = []
    for sequence in 0..<16 {
      let stamp = Stamp(
        intended: UInt64(sequence), slip: 0, sender: 3, flow: 0, sequence: UInt32(sequence))
      let message = Array(buffer.message(stamp, size: 4000))
      #expect(message.count == 4000)
      #expect(Stamp(of: message.span) == stamp)
      all += message
    }
    #expect(part.contains(Double(Zlib.compress(all).count) / Double(all.count)))
    if kind == .text { #expect(all.allSatisfy { (0x20..<0x7F).contains($0) }) }
  }

  @Test("Layers of a compressed trial add up to what the socket counted")
  func layers() {
    var layers = ByteLayers()
    (layers.payload, layers.framing, layers.control, layers.http) = (1000, 60, 4, 200)
    (layers.saved, layers.socket, layers.tcpip) = (700, 564, 52)
    #expect(layers.compressed == 364)
    let parts: [KeyPath<ByteLayers, UInt64>] = [
      \.plainPayload, \.plainFraming, \.plainControl, \.compressed, \.http, \.tls, \.tcpip,
    ]
    #expect(parts.reduce(0) { $0 + layers[keyPath: $1] } == layers.wire)
    layers.saved = nil
    layers.socket = 1264
    #expect(parts.reduce(0) { $0 + layers[keyPath: $1] } == layers.wire)
  }
}
