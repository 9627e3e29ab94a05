import TriwireCodec

// What an application sees of a session that survives its connections.
extension Session {
  /// Whether the session goes on when its connection is lost: it comes back, over any transport, and
  /// neither loses nor repeats a message.
  ///
  /// On the loop.
  public var isResumable: Bool { link != nil }

  /// Calls `body` each time the session has got another connection, and says whether all is still
  /// there.
  ///
  /// On the client's side; on the loop. It is called before any message that came over the new
  /// connection.
  public func whenRecovered(_ body: @escaping @Sendable (SessionRecovery) -> Void) {
    loop.execute { [self] in setOnRecovery(body) }
  }

  /// The newest 64 attempts to reach the server, oldest first: which transport, what came of it, how
  /// long it took, and what came next.
  ///
  /// Empty on the server's side, and on plain sessions.
  public func attempts() async -> [TransportAttempt] {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        unsafe continuation.resume(returning: linkHistory?.attempts ?? [])
      }
    }
  }

  /// What the session did so far to stay exact; nothing on plain sessions.
  ///
  /// On the loop.
  public var resumeCounters: ResumeCounters { linkHistory?.counters ?? ResumeCounters() }

  /// Sends a message and waits until the peer has acknowledged it.
  ///
  /// It suspends while the peer is behind, whatever `limits.slowConsumer` says.
  /// - Parameters:
  ///   - message: The message.
  ///   - seconds: How long to wait; the message is sent all the same when that is over.
  /// - Returns: Whether the acknowledgement came in time; false on a plain session, which has none.
  /// - Throws: `SessionError.closed` when the session has ended.
  public func sendAcknowledged(
    _ message: Message, within seconds: Double = 30
  ) async throws(SessionError) -> Bool {
    try await sendUndropped(message)
    return unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        guard let link else { return unsafe continuation.resume(returning: false) }
        var isAnswered = false
        let answer = { (came: Bool) in
          guard !isAnswered else { return }
          isAnswered = true
          unsafe continuation.resume(returning: came)
        }
        let alarm = Alarm(loop)
        alarm.set(after: seconds.nanoseconds) { answer(false) }
        link.whenAcknowledged { came in
          alarm.cancel()
          answer(came)
        }
      }
    }
  }

  /// Sends a message that is worth nothing later: it is dropped while the session has no connection,
  /// and while more waits than `send` would wait for.
  ///
  /// - Returns: What became of it.
  @discardableResult
  public func sendVolatile(_ message: Message) async -> SendResult {
    unsafe await withUnsafeContinuation { continuation in
      loop.execute { [self] in
        let result: SendResult
        if isOpen, carrier == nil || isCongested {
          result = .dropped
        } else {
          result = sendNow(message.kind, message.bytes.span)
        }
        unsafe continuation.resume(returning: result)
      }
    }
  }

  /// Lets the connection go until `resume`, as an app does that goes to sleep; what is sent
  /// meanwhile waits.
  ///
  /// On a client's resumable session; does nothing on others.
  public func suspend() { loop.execute { [self] in (link as? ClientLink)?.suspend() } }

  /// Comes back after `suspend` at once; a connection that was kept is checked for life within 10 s.
  public func resume() { loop.execute { [self] in (link as? ClientLink)?.resume() } }

  /// Says that the device may have another network: the connection is checked within 10 s, and one
  /// that is awaited is tried again at once.
  public func networkMayHaveChanged() {
    loop.execute { [self] in (link as? ClientLink)?.networkMayHaveChanged() }
  }
}
