import Testing

@testable import TriwireBench

@Suite("Records")
struct RecordFormatTests {
  /// What Python's json, msgpack 1.2.4, protobuf 7.36.2 and struct write of the same record.
  private static let written: [RecordFormat: String] = [
    .messagePack: """
    88a26964b44141414141414141414141414141414141414141a673796d626f6ca454524957a576656e7565a4584e41\
    53a474696d65cf000001a0c4506c7ba57072696365cb4059500000000000a3626964cb40594f5c28f5c28fa361736b\
    cb405950a3d70a3d71a473697a65cd012c
    """,
    .protobuf: """
    0a1441414141414141414141414141414141414141411204545249571a04584e415320fbd8c1a28c34290000000000\
    505940318fc2f5285c4f594039713d0ad7a350594040ac02
    """,
    .binary: """
    414141414141414141414141414141414141414154524957584e4153000001a0c4506c7b405950000000000040594f\
    5c28f5c28f405950a3d70a3d71000000000000012c
    """,
  ]

  @Test(
    "Each format is byte for byte what a library of it writes", arguments: RecordFormat.allCases)
  func bytes(_ format: RecordFormat) {
    if format == .json {
      #expect(
        String(decoding: format.sample, as: UTF8.self) == """
          {"id":"AAAAAAAAAAAAAAAAAAAA","symbol":"TRIW","venue":"XNAS","time":1790000000123,\
          "price":101.25,"bid":101.24,"ask":101.26,"size":300}
          """)
    } else {
      let digits = Array("0123456789abcdef")
      let hex = String(
        format.sample.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
      #expect(hex == Self.written[format])
    }
    #expect(format.size.bytes == format.sample.count)
  }

  private func flow(_ format: RecordFormat, _ more: String = "") throws -> Flow {
    try load(
      """
      {"name": "x", "clients": 4, "traffic": [{"direction": "down", "rate": "10/s per client", \(more)
        "payload": {"record": "\(format.rawValue)"}}]}
      """
    ).scenario.traffic[0]
  }

  @Test(
    "The identifier of a record is the message's stamp, and the rest stays as it is",
    arguments: RecordFormat.allCases)
  func stamps(_ format: RecordFormat) throws {
    let flow = try flow(format)
    #expect(flow.kind == (format == .json ? .text : .binary))
    #expect(flow.payload.smallest == format.size && flow.payload.largest == format.size)
    var buffer = PayloadBuffer(for: flow)
    let start = RecordFormat.identifierOffset(after: format.sample[0])
    for sequence in [0, 1, 77, 1 << 23] as [UInt32] {
      let stamp = Stamp(
        intended: UInt64(sequence) * 1000, slip: 512, sender: 3, flow: 0, sequence: sequence)
      let message = Array(buffer.message(stamp, size: flow.payload.largest.bytes))
      #expect(Stamp(of: message.span) == stamp)
      var expected = format.sample
      expected.replaceSubrange(start..<start + Stamp.length, with: message[start..<start + 20])
      #expect(message == expected)
      for position in start..<start + Stamp.length {
        var damaged = message
        damaged[position] = damaged[position] == 0x41 ? 0x42 : 0x41
        #expect(Stamp(of: damaged.span) == nil)
      }
      // Without its last byte, and with less than a stamp.
      for count in [message.count - 1] + Array(0..<start + Stamp.length) {
        #expect(Stamp(of: Array(message[..<count]).span) == nil)
      }
    }
  }

  @Test("A record comes back from JSON, and is refused in the kind of message that it is not")
  func reading() throws {
    for format in RecordFormat.allCases {
      let flow = try flow(format)
      #expect(flow.payload == .record(format))
      let again: Flow = try decodeLine(String(decoding: try encodeLine(flow), as: UTF8.self))
      #expect(again == flow)
      let wrong = format == .json ? "binary" : "text"
      #expect(throws: ScenarioError.self) { try self.flow(format, "\"kind\": \"\(wrong)\",") }
    }
    #expect(throws: ScenarioError.self) {
      try load(
        """
        {"name": "x", "clients": 4, "traffic": [{"direction": "down", "rate": "10/s per client",
          "payload": {"record": "xml"}}]}
        """)
    }
  }
}
