/// The messages of a session as a sequence.
public struct Messages: AsyncSequence, Sendable {
  @usableFromInline let session: Session

  @usableFromInline
  init(session: Session) { self.session = session }

  /// What an iteration may throw: that the session was lost.
  public typealias Failure = SessionError

  /// Reads from where the last reader stopped.
  @inlinable
  public func makeAsyncIterator() -> Iterator { Iterator(session: session) }

  /// Takes one message after the other.
  public struct Iterator: AsyncIteratorProtocol {
    @usableFromInline let session: Session

    @usableFromInline
    init(session: Session) { self.session = session }

    /// The next message; nil when the session was closed.
    ///
    /// A message that waits is taken without suspending.
    @inlinable @inline(__always)
    public nonisolated(nonsending) mutating func next() async throws(SessionError) -> Message? {
      if let message = session.takeNow() { return message }
      return try await session.waitForMessage()
    }

    /// The next message; nil when the session was closed.
    ///
    /// What `for await` calls. It runs where its caller does, whatever `actor` says: an isolated
    /// parameter would have the caller change executors twice for each message.
    @inlinable @inline(__always)
    public nonisolated(nonsending) mutating func next(
      isolation actor: (any Actor)?
    ) async throws(SessionError) -> Message? {
      try await next()
    }
  }
}
