import FoundationEssentials
import Triwire

/// The objects of a file that names foreign servers.
enum ForeignSchema {
  private static let url = SchemaForm.pattern(
    "^(http|https)://", ["http://127.0.0.1:8080/events/{client}"])

  static let servers = SchemaObject(keys: [
    .init(
      "websocket", "A WebSocket that sends back each message.",
      .pattern("^(ws|wss|http|https)://", ["ws://127.0.0.1:8080/echo"])),
    .init("sse", "Server-Sent Events and a place to publish at.", .object(sse)),
    .init("long-polling", "A place to poll at and one to publish at.", .object(longPolls)),
  ])

  static let sse = SchemaObject(keys: [
    .init("events", "Where the stream is; {client} is in it.", url, isRequired: true),
    .init(
      "publish", "Where a POST's body becomes the data of an event; {client} is in it.", url,
      isRequired: true),
  ])

  static let longPolls = SchemaObject(keys: [
    .init("poll", "Where to poll; {client} and {cursor} are in it.", url, isRequired: true),
    .init(
      "publish", "Where a POST's body becomes a message of an answer; {client} is in it.", url,
      isRequired: true),
    .init(
      "start",
      "The first cursor; without it the first poll leaves out the part of the query with {cursor}.",
      .text),
    .init(
      "cursor", "Where the next cursor is: header NAME, or field NAME of a JSON object.",
      .pattern("^(header|field) [^ ]+$", ["header x-cursor", "field next"]), isRequired: true),
    .init(
      "messages",
      "What a message is: the body, each text of a JSON array, or field NAME of a JSON object.",
      .pattern("^(body|array|field [^ ]+)$", ["body", "array", "field messages"])),
  ])
}

/// Reads a file that names foreign servers, noting all that is wrong on the way.
struct ForeignReader {
  let place: Place

  func read() -> ForeignServers? {
    guard let fields = place.fields(of: ForeignSchema.servers) else { return nil }
    var servers = ForeignServers()
    servers.websocket = fields["websocket"].flatMap {
      url($0, like: "ws://127.0.0.1:8080/echo", ["ws", "wss", "http", "https"], needs: [])
    }
    servers.sse = fields["sse"].flatMap(readEventStream)
    servers.longPolling = fields["long-polling"].flatMap(readLongPolls)
    if fields.places.isEmpty {
      place.refuse("this names no server, write \"websocket\": \"ws://HOST:PORT/PATH\"")
    }
    return servers
  }

  private func readEventStream(_ place: Place) -> ForeignServers.EventStream? {
    guard let fields = place.fields(of: ForeignSchema.sse),
      let events = http(fields, "events", needs: ["{client}"]),
      let publish = http(fields, "publish", needs: ["{client}"])
    else { return nil }
    checkOrigin(events, publish, fields)
    return ForeignServers.EventStream(events: events, publish: publish)
  }

  private func readLongPolls(_ place: Place) -> ForeignServers.LongPolls? {
    guard let fields = place.fields(of: ForeignSchema.longPolls),
      let poll = http(fields, "poll", needs: ["{client}", "{cursor}"]),
      let publish = http(fields, "publish", needs: ["{client}"]),
      let cursorPlace = fields.required("cursor", like: "\"header x-cursor\""),
      let cursor = cursorPlace.text(like: "\"header x-cursor\"")
    else { return nil }
    checkOrigin(poll, publish, fields)
    if PollReader.Cursor(cursor) == nil {
      cursorPlace.refuse("\"\(cursor)\" is no place, write \"header NAME\" or \"field NAME\"")
    }
    let messages = fields["messages"].flatMap { $0.text(like: "\"body\"") }
    if let messages, PollReader.Form(messages) == nil {
      fields["messages"]?.refuse(
        "\"\(messages)\" is no form, write \"body\", \"array\" or \"field NAME\"")
    }
    let start = fields["start"].flatMap { $0.text(like: "\"0\"") }
    return ForeignServers.LongPolls(
      poll: poll, publish: publish, start: start, cursor: cursor, messages: messages)
  }

  private func http(_ fields: Fields, _ key: String, needs: [String]) -> String? {
    let example = "http://127.0.0.1:8080/\(key)/{client}"
    return fields.required(key, like: "\"\(example)\"").flatMap {
      url($0, like: example, ["http", "https"], needs: needs)
    }
  }

  /// A URL with all parts that it needs, and none that nobody fills in.
  private func url(
    _ place: Place, like example: String, _ schemes: [String], needs: [String]
  ) -> String? {
    guard let text = place.text(like: "\"\(example)\"") else { return nil }
    guard schemes.contains(where: { text.hasPrefix("\($0)://") && text.count > $0.count + 3 })
    else {
      place.refuse("\"\(text)\" is no URL of \(schemes.joined(separator: ", ")): write \(example)")
      return nil
    }
    for part in needs where !text.contains(part) {
      let why =
        part == "{cursor}"
        ? "a poll says where the client is" : "each client has to hear its own messages alone"
      place.refuse("\(part) is not in it, and \(why): write \(example)")
    }
    let known = ["{client}", "{trial}"] + (needs.contains("{cursor}") ? ["{cursor}"] : [])
    let rest = known.reduce(text) { $0.replacing($1, with: "") }
    if rest.contains(where: { "{} #".contains($0) }) {
      place.refuse(
        "\"\(text)\" has more than a URL and \(known.joined(separator: ", ")): leave it out")
    }
    return text
  }

  private func checkOrigin(_ one: String, _ other: String, _ fields: Fields) {
    guard ForeignPlaces.origin(of: one) != ForeignPlaces.origin(of: other) else { return }
    fields["publish"]?.refuse(
      "\(ForeignPlaces.origin(of: other)) is not \(ForeignPlaces.origin(of: one)): publish where "
        + "messages come from, through a proxy if need be")
  }
}

extension ForeignServers {
  /// Reads a file that names foreign servers.
  ///
  /// - Throws: ``ScenarioError`` when the file cannot be read or something in it is wrong.
  public init(path: String) throws(ScenarioError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ScenarioError(file: path, "there is no such file to read")
    }
    try self.init(text: [UInt8](data), path: path)
  }

  /// Reads the text of such a file; `path` is only for messages.
  ///
  /// - Throws: ``ScenarioError`` when something in it is wrong.
  init(text: [UInt8], path: String) throws(ScenarioError) {
    let node: JSONNode
    do {
      node = try JSONText.parse(text)
    } catch {
      throw ScenarioError(
        file: path, problems: [.init(line: error.line, path: "", message: error.message)])
    }
    let list = ProblemList()
    let read = ForeignReader(place: Place(node: node, path: "", problems: list)).read()
    guard let read, list.problems.isEmpty else {
      throw ScenarioError(file: path, problems: list.problems)
    }
    self = read
  }
}
