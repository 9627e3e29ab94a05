import Testing
import TestSupport
import TriwireIO

@Suite("TLS: handshakes", .takesTurns)
struct TLSHandshakeTests {
  /// Two engines with nothing between them but the bytes that a test passes on.
  private struct Wire {
    let client, server: TLSEngine
    let buffers = TLSBuffers()
    /// Ciphertext on its way to the client and to the server.
    var down: [UInt8] = []
    var up: [UInt8] = []
    var plaintext: [UInt8] = []

    init(_ version: TLSVersion) throws {
      let certificates = try Certificates()
      var serving = certificates.serving
      serving.maximumVersion = version
      client = try TLSEngine(
        try TLSContext(certificates.trusting),
        target: TLSEngine.Target(host: "localhost", place: "localhost:1"))
      server = try TLSEngine(try TLSContext(serving))
    }

    mutating func begin() {
      client.begin(buffers)
      _ = client.shake()
      up += taken(from: client)
    }

    /// Passes on the bytes that wait in one direction, in pieces of these sizes.
    mutating func pass(to engine: TLSEngine, _ bytes: [UInt8], cut: Int?, step: Int) {
      var offset = 0
      while offset < bytes.count {
        let end = cut.map { offset < $0 ? min($0, bytes.count) : bytes.count } ?? offset + step
        give(Array(bytes[offset..<min(end, bytes.count)]), to: engine)
        offset = end
      }
    }

    private mutating func give(_ bytes: [UInt8], to engine: TLSEngine) {
      for (index, byte) in bytes.enumerated() { buffers.input[index] = byte }
      engine.begin(buffers, input: bytes.count)
      let room = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 20_000)
      defer { room.deallocate() }
      var last = TLSEngine.Step.moved(0)
      while case .moved = last {
        last = engine.open(into: room)
        if case .moved(let count) = last { plaintext += room[..<count] }
      }
      if case .failed(let error) = last { Issue.record("\(error)") }
      _ = engine.noteSecured()
      let answer = taken(from: engine)
      if engine === client { up += answer } else { down += answer }
    }

    func taken(from engine: TLSEngine) -> [UInt8] {
      let count = engine.takeProduced(buffers)
      return Array(buffers.output[..<count])
    }

    /// Lets all flights pass, the one numbered `flight` cut at `cut`, others in steps.
    mutating func run(flight: Int = -1, cut: Int? = nil, step: Int = .max / 2) -> [Int] {
      begin()
      var sizes: [Int] = []
      while !up.isEmpty || !down.isEmpty {
        let (toServer, bytes) = up.isEmpty ? (false, down) : (true, up)
        if toServer { up = [] } else { down = [] }
        pass(
          to: toServer ? server : client, bytes, cut: sizes.count == flight ? cut : nil, step: step)
        sizes.append(bytes.count)
      }
      return sizes
    }
  }

  @Test(
    "A handshake cut at any byte of any flight is completed", arguments: TLSStreamTests.versions)
  func cuts(version: TLSVersion) throws {
    var whole = try Wire(version)
    let sizes = whole.run()
    #expect(sizes.count >= 3)
    for (flight, size) in sizes.enumerated() {
      // Sizes differ by a few bytes from run to run, with the signatures.
      for cut in stride(from: 1, to: size - 8, by: 7) {
        var wire = try Wire(version)
        _ = wire.run(flight: flight, cut: cut)
        #expect(wire.client.isSecured && wire.server.isSecured, "flight \(flight) at \(cut)")
      }
    }
  }

  @Test("A handshake and its data come byte by byte", arguments: TLSStreamTests.versions)
  func byteByByte(version: TLSVersion) throws {
    var wire = try Wire(version)
    _ = wire.run(step: 1)
    #expect(wire.client.isSecured && wire.server.isSecured)
    wire.client.begin(wire.buffers)
    let bytes = pattern(20_000)
    var offset = 0
    bytes.withUnsafeBufferPointer { all in
      while offset < all.count,
        case .moved(let count) = wire.client.seal(UnsafeBufferPointer(rebasing: all[offset...]))
      {
        offset += count
      }
    }
    wire.client.sealEnd()
    let records = wire.taken(from: wire.client)
    wire.pass(to: wire.server, records, cut: nil, step: 1)
    #expect(wire.plaintext == bytes)
    #expect(wire.server.opened == 20_000 && wire.client.sealed == 20_000)
  }

  @Test("Random changes to a flight end the handshake or not, and never the process")
  func mutations() throws {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<200 {
      let wire = try Wire(.v1_3)
      wire.client.begin(wire.buffers)
      _ = wire.client.shake()
      var hello = wire.taken(from: wire.client)
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        hello[Int.random(in: 0..<hello.count, using: &random)] = UInt8.random(
          in: 0...255, using: &random)
      }
      for (index, byte) in hello.enumerated() { wire.buffers.input[index] = byte }
      wire.server.begin(wire.buffers, input: hello.count)
      _ = wire.server.shake()
      #expect(!wire.server.noteSecured())
    }
  }

  @Test(
    "Over a wire that passes on few bytes at a time, a connection is secured and used",
    arguments: [1, 3, 17, 1000])
  func pieces(size: Int) async throws {
    let certificates = try Certificates()
    try await withSecureLobby(certificates.serving, loops: 2) { lobby, group in
      let relay = try Relay(to: lobby.address, piece: size, on: group)
      let far = Recorder()
      async let accepted = lobby.accept(far)
      let (address, near) = (relay.address, Recorder())
      let stream = try await within("a connection is secured") {
        let stream = try await Connector.connect(to: [address], on: group.next())
        try await stream.secured(
          reaching: "localhost", port: 1, try TLSContext.shared(certificates.trusting),
          within: 1_000_000_000_000)
        return stream
      }
      try await stream.loop.run { stream.start(near) }
      try await stream.send(pattern(5000))
      #expect(try await far.bytes(5000) == pattern(5000))
      try await accepted.send(pattern(3000))
      #expect(try await near.bytes(3000) == pattern(3000))
      // A wire that is cut is no end that the server has said.
      try await relay.cut()
      #expect(try await near.failure() == .closedEarly)
      #expect(try await far.end() == .ended)
      await relay.stop()
    }
  }

  @Test(
    "A second connection resumes the session of the first, unless tickets are off",
    arguments: [1, 2, 0], TLSStreamTests.versions)
  func resumption(tickets: Int, version: TLSVersion) async throws {
    let certificates = try Certificates()
    var serving = certificates.serving
    serving.sessionTickets = tickets
    serving.maximumVersion = version
    try await withSecureLobby(serving) { lobby, group in
      var overhead: [UInt64] = []
      for round in 0..<3 {
        let (near, far) = (Recorder(), Recorder())
        let pair = try await lobby.pair(certificates.trusting, on: group.next(), near, far)
        // Tickets come with the first bytes (RFC 8446 §4.6.1).
        try await pair.far.send([7])
        _ = try await near.bytes(1)
        let agreement = try await pair.near.loop.run { pair.near.agreement }
        #expect(agreement?.isResumed == (tickets > 0 && round > 0), "round \(round)")
        overhead.append(try await pair.near.loop.run { pair.near.counters.tlsReceived })
        try await pair.near.finish()
        #expect(try await far.end() == .ended)
      }
      // A resumed handshake needs no certificate.
      if tickets > 0 { #expect(overhead[1] < overhead[0]) }
    }
  }

  @Test("A context that was exchanged secures new connections only")
  func reload() async throws {
    let (first, second) = (try Certificates(), try Certificates())
    try await withSecureLobby(first.serving) { lobby, group in
      let (near, far) = (Recorder(), Recorder())
      let pair = try await lobby.pair(first.trusting, on: group.next(), near, far)
      let fresh = try TLSContext(second.serving)
      lobby.context.change { $0 = fresh }
      let (newNear, newFar) = (Recorder(), Recorder())
      _ = try await lobby.pair(second.trusting, on: group.next(), newNear, newFar)
      try await pair.near.send([1, 2, 3])
      #expect(try await far.bytes(3) == [1, 2, 3])
      #expect(
        try await lobby.attempt(first.trusting, on: group.next()) == .unknownAuthority)
    }
  }
}
