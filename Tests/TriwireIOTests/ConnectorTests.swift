import Glibc
import Testing
import TestSupport
import TriwireIO

/// An address of this host that belongs to a test, so that nobody else gets it meanwhile.
private final class HeldAddress: Sendable {
  let address: SocketAddress
  private let descriptors: [Int32]

  /// - Parameter isDead: Whether it answers nothing, as a listener whose queue is full; else it
  ///   refuses, as nobody listens.
  /// - Throws: What binding throws.
  init(isDead: Bool) throws {
    let holder = Self.makeSocket()
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        bind(holder, pointer, size) + getsockname(holder, pointer, &size)
      }
    }
    try #require(status == 0)
    address = try #require(
      SocketAddress(host: "127.0.0.1", port: UInt16(bigEndian: name.sin_port)))
    guard isDead else {
      descriptors = [holder]
      return
    }
    listen(holder, 0)
    // More than the queue holds: from then on the kernel drops what comes.
    let fillers = (0..<4).map { _ in Self.makeSocket() }
    for filler in fillers {
      _ = withUnsafePointer(to: &name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(filler, $0, size) }
      }
    }
    descriptors = fillers + [holder]
  }

  private static func makeSocket() -> Int32 {
    let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    return socket(AF_INET, Int32(kind), 0)
  }

  deinit {
    for descriptor in descriptors { close(descriptor) }
  }
}

@Suite("Connector")
struct ConnectorTests {
  func connect(
    _ addresses: [SocketAddress], _ group: EventLoopGroup,
    milliseconds: UInt64 = UInt64(20_000 * slowness)
  ) async throws -> ByteStream {
    var options = Connector.Options()
    options.timeoutNanoseconds = milliseconds * 1_000_000
    let settings = options
    return try await within("the connector decides") {
      try await Connector.connect(to: addresses, on: group.loops[0], options: settings)
    }
  }

  /// Connects, says "hello", and has it echoed.
  func expectEcho(_ addresses: [SocketAddress], _ lobby: Lobby, _ group: EventLoopGroup)
    async throws
  {
    let stream = try await connect(addresses, group)
    let near = Recorder()
    try await stream.loop.run { stream.start(near) }
    let far = Recorder { input, stream in
      stream.write(input.span)
      return input.count
    }
    _ = try await lobby.accept(far)
    try await stream.send(Array("hello".utf8))
    #expect(try await near.bytes(5) == Array("hello".utf8))
    try await stream.finish()
  }

  @Test("A refused connection is an error that names the address and the reason")
  func refused() async throws {
    try await withLoops { group in
      let vacant = try HeldAddress(isDead: false)
      let error = await #expect(throws: IOError.self) {
        _ = try await connect([vacant.address], group)
      }
      #expect(error?.code == ECONNREFUSED)
      #expect(error?.operation == "connect to \(vacant.address)")
    }
  }

  @Test("No address at all is an error, not a wait")
  func noAddress() async throws {
    try await withLoops { group in
      let error = await #expect(throws: IOError.self) { _ = try await connect([], group) }
      #expect(error?.reason == "there is no address to connect to")
    }
  }

  @Test("A name that does not resolve is an error that names it (RFC 6761 §6.4)")
  func unresolvable() async throws {
    let error = await #expect(throws: IOError.self) {
      _ = try await within("the resolver answers") {
        try await SocketAddress.resolve(host: "no-such-host.invalid", port: 80)
      }
    }
    #expect(error?.operation == "resolve no-such-host.invalid")
    #expect(error?.code == 0)
  }

  @Test("A name and numeric addresses resolve, with their port")
  func resolvable() async throws {
    for host in ["localhost", "127.0.0.1", "::1", "[::1]"] {
      let found = try await within("the resolver answers") {
        try await SocketAddress.resolve(host: host, port: 8080)
      }
      #expect(!found.isEmpty && found.allSatisfy { $0.port == 8080 })
    }
  }

  @Test("An address that refuses, and one that is dead, keep nobody from one that answers")
  func besideTheDead() async throws {
    let dead = try HeldAddress(isDead: true)
    let vacant = try HeldAddress(isDead: false)
    try await withLobby { lobby, group in
      try await expectEcho([vacant.address, lobby.address], lobby, group)
      try await expectEcho([dead.address, lobby.address], lobby, group)
      try await expectEcho(
        [dead.address, vacant.address, dead.address, lobby.address], lobby, group)
    }
  }

  @Test("Connecting ends when the loop is stopped, and ends at once when it was")
  func stoppedLoop() async throws {
    let dead = try HeldAddress(isDead: true)
    let group = try EventLoopGroup(count: 1)
    async let under = failure(of: dead.address, group)
    // Until the attempt is there.
    while try await group.loops[0].run({ group.loops[0].systemCalls.connect }) == 0 {
      await Task.yield()
    }
    try await within("the loop stops") { await group.stop() }
    let reason = "its event loop was stopped"
    #expect(await under?.reason == reason)
    #expect(await failure(of: dead.address, group)?.reason == reason)
    let error = await #expect(throws: IOError.self) { _ = try await connect([], group) }
    #expect(error?.reason == "there is no address to connect to")
  }

  private func failure(of address: SocketAddress, _ group: EventLoopGroup) async -> IOError? {
    await #expect(throws: IOError.self) { _ = try await connect([address], group) }
  }

  @Test("A dead address is given up at the deadline")
  func deadline() async throws {
    let dead = try HeldAddress(isDead: true)
    try await withLoops { group in
      let began = EventLoop.clock()
      let error = await #expect(throws: IOError.self) {
        _ = try await connect([dead.address], group, milliseconds: 60)
      }
      #expect(error?.code == ETIMEDOUT)
      #expect(EventLoop.clock() - began >= 60_000_000)
    }
  }

  @Test("A task that is cancelled, before or while it connects, is told so and leaves nothing")
  func cancellation() async throws {
    let dead = try HeldAddress(isDead: true)
    try await withLoops { group in
      for isEarly in [true, false] {
        let begun = Gate()
        var options = Connector.Options()
        options.timeoutNanoseconds *= UInt64(10 * slowness)
        let patient = options
        let task = Task {
          if isEarly { try? await Task.sleep(for: .seconds(3600)) }
          begun.open()
          _ = try await Connector.connect(
            to: [dead.address], on: group.loops[0], options: patient)
        }
        if isEarly { task.cancel() }
        try await onThread { begun.wait() }
        if !isEarly {
          try await group.loops[0].run {}
          task.cancel()
        }
        await #expect(throws: CancellationError.self) {
          try await within("the connector gives up") { try await task.value }
        }
      }
    }
  }

  @Test(
    "A process that is out of descriptors is told its limit, and connects again when it can")
  func outOfDescriptors() async throws {
    await #expect(processExitsWith: .success) {
      try await withLoops { group in
        let echo = try EchoListener(on: group)
        let reserved = Int(Connector.Options().reservedDescriptors)
        let limit = limitDescriptors(toFree: 6 + reserved)
        var streams: [ByteStream] = []
        let error = await #expect(throws: IOError.self) {
          for _ in 0..<7 {
            let stream = try await Connector.connect(to: [echo.address], on: group.loops[0])
            streams.append(stream)
          }
        }
        #expect(!streams.isEmpty)
        #expect(error?.code == EMFILE)
        #expect(error?.operation == "connect to \(echo.address)")
        #expect(error?.reason.contains("ulimit -n") == true, "\(error?.reason ?? "")")
        // Without any left, the library that runs tasks would end the process within a second.
        let left = open("/dev/null", O_RDONLY | O_CLOEXEC)
        #expect(left >= 0)
        close(left)
        setDescriptorLimit(limit)
        // Whoever listens in the same process is short of them as well: each of those who came
        // meanwhile is served, or learns that it was not let in. Who comes now is served.
        streams.append(try await Connector.connect(to: [echo.address], on: group.loops[0]))
        var came: [[UInt8]?] = []
        for stream in streams {
          let near = Recorder()
          try await stream.loop.run { stream.start(near) }
          try await stream.send(Array("hello".utf8))
          came.append(try? await near.bytes(5))
          try await stream.finish()
        }
        #expect(came.allSatisfy { $0 == nil || $0 == Array("hello".utf8) })
        #expect(came.last == Array("hello".utf8))
        await echo.listener.stop()
      }
    }
  }

  @Test("IPv6 is spoken, and addresses print so that they can be read back", .enabled(if: hasIPv6))
  func ipv6() async throws {
    try await withLoops { group in
      let lobby = try Lobby(on: group, host: "::1")
      try await expectEcho([lobby.address], lobby, group)
      let text = lobby.address.description
      #expect(text == "[::1]:\(lobby.address.port)")
      let (host, port) = try #require(SocketAddress.split(text))
      #expect(SocketAddress(host: host, port: port)?.description == text)
      await lobby.listener.stop()
    }
  }

  static let hasIPv6: Bool = {
    guard let address = SocketAddress(host: "::1", port: 0),
      let group = try? EventLoopGroup(count: 1)
    else { return false }
    defer { Task { await group.stop() } }
    return (try? Listener(address, on: group) { _ in }) != nil
  }()

  @Test("What is no address is told apart from what is one")
  func parsing() {
    for text in [
      "127.0.0.1", "localhost", ":80", "1.2.3.4:", "1.2.3.4:65536", "::1:80", "[::1]", "",
    ] {
      #expect(SocketAddress.split(text) == nil, "\(text)")
    }
    for text in ["127.0.0.1:80", "localhost:0", "[::1]:65535"] {
      #expect(SocketAddress.split(text) != nil, "\(text)")
    }
    #expect(SocketAddress(host: "localhost", port: 1) == nil)
    #expect(SocketAddress(host: "256.1.1.1", port: 1) == nil)
  }
}
