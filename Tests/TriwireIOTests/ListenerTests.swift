import Glibc
import Testing
import TestSupport
import TriwireIO

@Suite("Listener")
struct ListenerTests {
  @Test("Connections are spread evenly over the loops", arguments: [1, 2, 3])
  func spread(count: Int) async throws {
    try await withLobby(loops: count) { lobby, _ in
      var peers: [RawPeer] = []
      var loops: [Int: Int] = [:]
      for _ in 0..<count * 10 {
        peers.append(try RawPeer(to: lobby.address))
        let stream = try await lobby.streams.next("a connection comes")
        loops[stream.loop.index, default: 0] += 1
      }
      #expect(loops == Dictionary(uniqueKeysWithValues: (0..<count).map { ($0, 10) }))
    }
  }

  @Test("Port 0 lets the kernel pick one, and an address that is taken is refused by name")
  func addresses() async throws {
    try await withLobby { lobby, group in
      #expect(lobby.address.port > 0)
      let error = #expect(throws: IOError.self) {
        _ = try Listener(lobby.address, on: group) { _ in }
      }
      #expect(error?.code == EADDRINUSE)
      #expect(error?.operation == "listen on \(lobby.address)")
    }
  }

  @Test("A reserved port refuses connections while nobody listens, and listeners come and go")
  func reservation() async throws {
    try await withLoops { group in
      let free = try #require(SocketAddress(host: "127.0.0.1", port: 0))
      let port = try PortReservation(free)
      for _ in 0..<3 {
        #expect(throws: RawPeer.Failure.self) { _ = try RawPeer(to: port.address) }
        let accepted = Mailbox<Void>()
        let listener = try Listener(port.address, on: group) { stream in
          stream.abort()
          accepted.put(())
        }
        listener.start()
        _ = try RawPeer(to: port.address)
        try await accepted.next("a connection comes")
        let another = #expect(throws: IOError.self) {
          _ = try Listener(port.address, on: group) { _ in }
        }
        #expect(another?.code == EADDRINUSE)
        await listener.stop()
      }
    }
  }

  @Test("A congestion control that the kernel does not know is refused by name")
  func congestionControl() async throws {
    try await withLoops { group in
      var options = Listener.Options()
      options.congestionControl = "nonesuch"
      let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
      let error = #expect(throws: IOError.self) {
        _ = try Listener(address, on: group, options: options) { _ in }
      }
      #expect(error?.operation == "use congestion control nonesuch")
    }
  }

  @Test("Who waits in the kernel's queue when the listener stops is still let in")
  func stop() async throws {
    try await withLoops { group in
      let lobby = try Lobby(on: group)
      // The loop is busy, so that nobody is accepted before the stop.
      let busy = Gate()
      group.loops[0].post { busy.wait() }
      let peers = try (0..<20).map { _ in try RawPeer(to: lobby.address) }
      async let stopped: Void = lobby.listener.stop()
      busy.open()
      await stopped
      _ = try await lobby.streams.next(20, "a connection that waited")
      #expect(throws: RawPeer.Failure.self) { _ = try RawPeer(to: lobby.address) }
      withExtendedLifetime(peers) {}
    }
  }

  @Test("A process that is out of descriptors refuses, serves on, and lets in again when it can")
  func outOfDescriptors() async throws {
    await #expect(processExitsWith: .success) {
      try await withLoops { group in
        let echo = try EchoListener(on: group)
        let busy = Gate()
        group.loops[0].post { busy.wait() }
        let peers = try (0..<12).map { _ in try RawPeer(to: echo.address) }
        let reserved = Int(Listener.Options().reservedDescriptors)
        let usual = limitDescriptors(toFree: 3 + reserved)
        busy.open()
        // Those who find a descriptor are served on; the others learn that they are not let in.
        var served: [Bool] = []
        for peer in peers { served.append(await peer.isEchoed("served")) }
        #expect(served.first == true && served.last == false)
        // Without any left, the library that runs tasks would end the process within a second.
        let left = (0..<reserved).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
        #expect(left.contains { $0 >= 0 })
        for descriptor in left where descriptor >= 0 { close(descriptor) }
        for peer in zip(peers, served).filter(\.1).map(\.0) {
          #expect(await peer.isEchoed("again"))
        }
        setDescriptorLimit(usual)
        let late = try RawPeer(to: echo.address)
        #expect(await late.isEchoed("late"))
        await echo.listener.stop()
      }
    }
  }
}

/// Sends everybody back what they sent.
final class EchoListener: Sendable {
  let listener: Listener
  var address: SocketAddress { listener.address }

  init(on group: EventLoopGroup) throws {
    let address = try #require(SocketAddress(host: "127.0.0.1", port: 0))
    listener = try Listener(address, on: group) { stream in
      stream.start(
        Recorder { input, stream in
          stream.write(input.span)
          return input.count
        })
    }
    listener.start()
  }
}

extension RawPeer {
  /// Whether what it says comes back, rather than an end.
  fileprivate func isEchoed(_ text: String) async -> Bool {
    do {
      try await send(text)
      return try await receive(text.utf8.count) == Array(text.utf8)
    } catch {
      return false
    }
  }
}

/// Lets this process open `count` descriptors more; returns the limit there was.
func limitDescriptors(toFree count: Int) -> UInt {
  let probes = (0..<count).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
  for probe in probes { close(probe) }
  return setDescriptorLimit(UInt(probes.max() ?? 0) + 1)
}

@discardableResult
func setDescriptorLimit(_ count: UInt) -> UInt {
  let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  var limit = rlimit()
  getrlimit(resource, &limit)
  let old = limit.rlim_cur
  limit.rlim_cur = count
  setrlimit(resource, &limit)
  return old
}
