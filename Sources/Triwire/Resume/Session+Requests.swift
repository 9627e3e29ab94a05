import TriwireCodec
import TriwireIO

/// Why a request got no response.
public enum RequestError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The deadline passed.
  ///
  /// Whether the peer did what was asked is not known.
  case timedOut(seconds: Double)
  /// The peer said no, in these words; or we did, as too much is under way.
  case refused(String)
  /// The session has ended, or its server has forgotten it; whether the peer did what was asked is
  /// not known.
  case lost(String)
  /// Only resumable sessions carry requests: the two sides of others do not know each other.
  case notResumable
  /// The task that waited was cancelled.
  case cancelled

  /// The error, as one line.
  public var description: String {
    switch self {
    case .timedOut(let seconds): "no response came within \(seconds) s"
    case .refused(let reason): "the request was refused: \(reason)"
    case .lost(let reason): "the session was lost before the response came: \(reason)"
    case .notResumable:
      "a plain session carries no requests: set configuration.resume on the client"
    case .cancelled: "the task that waited for the response was cancelled"
    }
  }
}

/// What a handler of requests throws to say no to the peer.
public struct RequestRefusal: Error, Sendable, Equatable {
  /// The words for the peer.
  public let reason: String

  /// Makes a refusal.
  public init(_ reason: String) { self.reason = reason }
}

// Requests and responses are messages as all others: they survive the connection, and come once.
extension Session {
  /// Sends a message that the other side answers with one, and waits for that.
  ///
  /// Either side may ask. Requests keep their place among the messages; their responses come in
  /// any order, and are no part of `messages`. They overtake what waits by a
  /// `limits.slowConsumer` that may drop it.
  /// - Parameters:
  ///   - message: What is asked.
  ///   - seconds: How long to wait.
  /// - Returns: The response.
  /// - Throws: `RequestError`. The peer may act on a request all the same.
  public func sendRequest(
    _ message: Message, within seconds: Double = 10
  ) async throws(RequestError) -> Message {
    let ticket = RequestDesk.Ticket()
    let result: Result<Message, RequestError> = await withTaskCancellationHandler {
      unsafe await withUnsafeContinuation { continuation in
        loop.execute { [self] in
          guard let link else {
            return unsafe continuation.resume(returning: .failure(withoutLink))
          }
          link.desk.ask(message, within: seconds, ticket) {
            unsafe continuation.resume(returning: $0)
          }
        }
      }
    } onCancel: {
      loop.execute { [self] in
        ticket.isCancelled = true
        link?.desk.cancel(ticket)
      }
    }
    return try result.get()
  }

  private var withoutLink: RequestError { isOpen ? .notResumable : .lost("it has ended") }

  /// Answers the requests of the other side with what `handler` returns.
  ///
  /// It runs on the session's loop, several at once: as many as `resume.requestsAtOnce`, and more
  /// are refused. A `RequestRefusal` that it throws reaches the peer in its words, any other error
  /// does not. It is cancelled when the session ends. Without a handler requests are refused. Does
  /// nothing on a plain session.
  public func answerRequests(
    with handler: @escaping @Sendable (Message) async throws -> Message
  ) {
    loop.execute { [self] in link?.desk.handler = handler }
  }
}

/// What of the requests and responses of one session is under way.
///
/// Belongs to the session's loop.
final class RequestDesk {
  /// Tells one request from all others; touched on the loop alone.
  final class Ticket: @unchecked Sendable {
    var number: UInt64 = 0
    var isCancelled = false
  }

  private struct Waiter {
    let deadline: Alarm
    let done: (Result<Message, RequestError>) -> Void
  }

  private unowned let link: SessionLink
  var handler: (@Sendable (Message) async throws -> Message)?
  private var last: UInt64 = 0
  private var waiters: [UInt64: Waiter] = [:]
  /// What handlers work on.
  private var answering: [UInt64: Task<Void, Never>] = [:]
  /// Changes with each life of the session, whose numbers begin again.
  private var life = 0

  init(_ link: SessionLink) { self.link = link }

  func ask(
    _ message: Message, within seconds: Double, _ ticket: Ticket,
    _ done: @escaping (Result<Message, RequestError>) -> Void
  ) {
    if ticket.isCancelled { return done(.failure(.cancelled)) }
    guard link.session?.isOpen == true else { return done(.failure(.lost("it has ended"))) }
    guard !link.hasNoRoom else {
      let reason = "\(link.backlog) bytes wait unread: raise resume.windowBytesHard"
      return done(.failure(.refused(reason)))
    }
    let wrapped = RequestEnvelope(.ask, last + 1, message).wrapped
    let limit = link.session?.limits.messageBytes ?? 0
    guard wrapped.bytes.count <= limit else {
      let reason = "it is \(wrapped.bytes.count) bytes on the way, limit is \(limit): "
      return done(.failure(.refused(reason + "raise limits.messageBytes on both sides")))
    }
    last += 1
    let number = last
    ticket.number = number
    let deadline = Alarm(link.loop)
    deadline.set(after: seconds.nanoseconds) { [unowned self] in
      settle(number, .failure(.timedOut(seconds: seconds)))
    }
    waiters[number] = Waiter(deadline: deadline, done: done)
    link.send(wrapped, .automatic, isEnvelope: true)
  }

  func cancel(_ ticket: Ticket) { settle(ticket.number, .failure(.cancelled)) }

  private func settle(_ number: UInt64, _ result: Result<Message, RequestError>) {
    guard let waiter = waiters.removeValue(forKey: number) else { return }
    waiter.deadline.cancel()
    waiter.done(result)
  }

  /// Nobody will answer what is under way.
  func lost(_ reason: String) {
    life += 1
    for task in answering.values { task.cancel() }
    answering = [:]
    for number in waiters.keys.sorted() { settle(number, .failure(.lost(reason))) }
  }

  private func respond(_ number: UInt64, _ response: Message) {
    guard link.session?.isOpen == true else { return }
    let wrapped = RequestEnvelope(.answer, number, response).wrapped
    let limit = link.session?.limits.messageBytes ?? 0
    guard wrapped.bytes.count <= limit else {
      return refuse(number, "the response is \(wrapped.bytes.count) bytes, limit is \(limit)")
    }
    reply(wrapped)
  }

  /// Sends what the peer has asked for; one that asks and asks, and reads nothing, is cut off.
  private func reply(_ wrapped: Message) {
    guard !link.hasNoRoom else {
      _ = link.session?.tooSlow()
      return
    }
    link.send(wrapped, .automatic, isEnvelope: true)
  }

  /// Something of the peer's came.
  func receive(_ envelope: RequestEnvelope) {
    switch envelope.kind {
    case .ask: answer(envelope)
    case .answer: settle(envelope.number, .success(envelope.message))
    case .refuse: settle(envelope.number, .failure(.refused(envelope.message.text)))
    }
  }

  private func answer(_ envelope: RequestEnvelope) {
    guard let handler else { return refuse(envelope.number, "nobody answers requests here") }
    guard answering[envelope.number] == nil else {
      return refuse(envelope.number, "a request of this number is under way")
    }
    guard answering.count < link.options.requestsAtOnce else {
      let text = "\(answering.count) requests are under way: raise resume.requestsAtOnce"
      return refuse(envelope.number, text)
    }
    let life = life
    let loop = link.loop
    let number = envelope.number
    let message = envelope.message
    // The session, and so this desk, lives as long as somebody works for it.
    let session = link.session
    answering[number] = Task(executorPreference: loop) {
      let outcome: Result<Message, RequestRefusal>
      do {
        outcome = .success(try await handler(message))
      } catch let refusal as RequestRefusal {
        outcome = .failure(refusal)
      } catch {
        outcome = .failure(RequestRefusal("the handler failed"))
      }
      loop.execute {
        guard let desk = session?.link?.desk, desk.life == life else { return }
        desk.answering[number] = nil
        switch outcome {
        case .success(let response): desk.respond(number, response)
        case .failure(let refusal): desk.refuse(number, refusal.reason)
        }
      }
    }
  }

  private func refuse(_ number: UInt64, _ reason: String) {
    guard link.session?.isOpen == true else { return }
    reply(RequestEnvelope(.refuse, number, Message(reason)).wrapped)
  }
}
