import Glibc
import TriwireCodec
import TriwireIO

/// What a server keeps on each of its loops.
final class ServerLoop: @unchecked Sendable {
  let loop: EventLoop
  let configuration: TriwireServer.Configuration
  private let routes: Routes
  /// What was found last: clients ask for the same again and again.
  private var lastFound: (target: String, route: Routes.Route)?
  let directory: SessionDirectory
  let sessionLimits: SharedLimits
  let resumeOptions: SharedResumeOptions
  let deflatePool = DeflatePool()
  /// Compresses the answers to polls, each by itself; nil where they are not compressed.
  private(set) lazy var gzip: GzipWriter? = configuration.gzip.map { GzipWriter($0) }
  private(set) var isDraining = false
  /// What slow clients have led to here.
  private(set) var slowConsumers = SlowConsumerCounters()
  private var connections: [ServerConnection] = []
  private var sessions: [Session] = []
  /// The line of `Date` as `refreshDate` left it; empty when none is sent.
  private(set) var dateLine: [UInt8] = []
  private var dateSecond = 0
  private var dateChecked: UInt64 = 0

  init(
    loop: EventLoop, configuration: TriwireServer.Configuration, routes: Routes,
    directory: SessionDirectory
  ) {
    self.loop = loop
    self.configuration = configuration
    self.routes = routes
    self.directory = directory
    sessionLimits = SharedLimits(configuration.session)
    resumeOptions = SharedResumeOptions(configuration.resume)
  }

  /// The route of a request's path, and what its parameter stands for.
  func find(_ head: borrowing RequestHead) -> (route: Routes.Route, parameter: String)? {
    if let lastFound, lastFound.target == head.target { return (lastFound.route, "") }
    let path = head.path
    guard let found = routes.find(path) else { return nil }
    if found.parameter.isEmpty { lastFound = (path, found.route) }
    return found
  }

  /// Makes the line of `Date` anew, once a second.
  func refreshDate() {
    guard configuration.sendsDate, dateLine.isEmpty || loop.now &- dateChecked > 200_000_000 else {
      return
    }
    dateChecked = loop.now
    let second = time(nil)
    guard second != dateSecond else { return }
    dateSecond = second
    dateLine = HTTPDate.line(unixSeconds: second)
  }

  func accept(_ stream: ByteStream) {
    let connection = ServerConnection(stream: stream, on: self)
    add(connection)
    connection.start()
  }

  func add(_ connection: ServerConnection) {
    connection.index = connections.count
    connections.append(connection)
  }

  func remove(_ connection: ServerConnection) {
    let index = connection.index
    guard index < connections.count, connections[index] === connection else { return }
    let last = connections.removeLast()
    if last !== connection {
      connections[index] = last
      last.index = index
    }
  }

  /// Runs the route's handler for a new session.
  func open(_ session: Session, _ handler: Routes.SessionHandler) {
    session.home = self
    session.homeIndex = Int32(sessions.count)
    sessions.append(session)
    // It came on a connection whose request was under way when the server began to stop.
    if isDraining { return session.close(.goingAway, "the server shuts down") }
    switch handler {
    case .synchronous(let handle): handle(session)
    case .async(let handle):
      // The loop is the task's executor preference: the handler never leaves the thread.
      Task(executorPreference: loop) {
        session.adoptHandlerTask()
        do {
          try await handle(session)
          session.close(.normal)
        } catch is SessionError {
          session.close(.normal)
        } catch {
          session.close(.internalError, "the handler failed")
        }
      }
    }
  }

  func forget(_ session: Session) {
    let index = Int(session.homeIndex)
    guard index < sessions.count, sessions[index] === session else { return }
    let last = sessions.removeLast()
    guard last !== session else { return }
    sessions[index] = last
    last.homeIndex = Int32(index)
  }

  /// Counts what a slow client has led to.
  func noteSlowConsumer(_ difference: SlowConsumerCounters) {
    slowConsumers = slowConsumers + difference
  }

  var connectionCount: Int { connections.count }
  var sessionCount: Int { sessions.count }

  /// Ends sessions and idle connections; those that answer a request finish it first, and those that
  /// polled wait for the end of all sessions.
  func drain() {
    isDraining = true
    let spread = configuration.drainSeconds.nanoseconds / 1_000_000
    for session in sessions {
      session.link?.carrier?.sendControl(.drain(milliseconds: spread))
      session.close(.goingAway, "the server shuts down")
    }
    endIdle(keepsSessions: true)
  }

  /// Ends idle connections.
  func endIdle(keepsSessions: Bool) {
    for connection in connections { connection.endIfIdle(keepsSessions: keepsSessions) }
  }

  /// Ends what is left.
  func abort() {
    for session in sessions { session.abort() }
    for connection in connections { connection.abort() }
  }
}
