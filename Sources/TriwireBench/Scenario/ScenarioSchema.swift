import Triwire
import TriwireFaults

/// What may stand in a scenario file: the one table that files are read by and the schema is made of.
struct SchemaObject: Sendable {
  /// One key of an object.
  struct Key: Sendable {
    let name: String
    let note: String
    let form: SchemaForm
    let isRequired: Bool

    init(_ name: String, _ note: String, _ form: SchemaForm, isRequired: Bool = false) {
      self.name = name
      self.note = note
      self.form = form
      self.isRequired = isRequired
    }
  }

  let keys: [Key]

  /// What a reader knows.
  var names: [String] { keys.map(\.name) }
}

/// What a value may be.
indirect enum SchemaForm: Sendable {
  case text
  /// Text like this pattern, such as these.
  case pattern(String, [String])
  case truth
  case whole(from: Int, to: Int)
  case number(above: Double, to: Double)
  case choice([String])
  /// A whole number, from 0 on.
  case count
  /// Any number.
  case figure
  /// A number, or `null` where it is not known.
  case nullable
  case list(SchemaForm, atLeast: Int, atMost: Int?)
  case object(SchemaObject)
  /// An object with any keys, all of whose values are of one form.
  case members(SchemaForm)
  case either([SchemaForm])

  static func words<C: CaseIterable & RawRepresentable<String>>(_: C.Type) -> SchemaForm {
    .choice(C.allCases.map(\.rawValue))
  }

  /// A list of any length.
  static func some(_ form: SchemaForm) -> SchemaForm { .list(form, atLeast: 0, atMost: nil) }

  static let time = pattern(#"^[0-9.]+\s*(min|s|ms|us|ns)$"#, ["10 s", "200 ms"])
  static let size = pattern(#"^[0-9.]+\s*(B|KB|KiB|MB|MiB)$"#, ["64 B", "4 KB"])
  static let bits = pattern(#"^[0-9.]+\s*(bit/s|kbit/s|Mbit/s|Gbit/s)$"#, ["1.6 Mbit/s"])
  static let rate = pattern(
    #"^[0-9.]+\s*/\s*([0-9.]+\s*)?(s|min|h) +(per client|per group|in all)$"#,
    ["50/s per client", "1/5 s per client", "100/s in all"])
}

/// The objects of a scenario file.
enum ScenarioSchema {
  private static let clients = SchemaForm.whole(from: 1, to: ScenarioLimits.clients)
  private static let repetitions = SchemaForm.whole(from: 1, to: ScenarioLimits.repetitions)

  static let scenario = SchemaObject(keys: [
    .init("$schema", "Where the schema of this file is, for editors.", .text),
    .init(
      "name", "A short name.", .pattern("^[a-z0-9-]+$", ["echo"]), isRequired: true),
    .init("description", "What it stands for.", .text),
    .init("clients", "How many clients are connected; idle says it otherwise.", clients),
    .init("groups", "Into how many groups they are spread for broadcasts.", clients),
    .init("idle", "Clients that connect in steps and do nothing.", .object(idle)),
    .init("slow", "Clients beside these who read too slowly.", .object(slow)),
    .init("visitors", "Clients beside these who come and go.", .object(visitors)),
    .init(
      "snapshot", "How large the first message is that each client gets when it joins.", .size),
    .init(
      "traffic", "The flows of messages, all at the same time.",
      .list(.object(flow), atLeast: 1, atMost: Stamp.flows)),
    .init("warmUp", "How long messages flow before anything is measured.", .time),
    .init("duration", "How long messages flow and are measured.", .time),
    .init("drain", "How long to wait for what is under way at the end.", .time),
    .init("repetitions", "How often each transport is measured.", repetitions),
    .init(
      "seed", "Where all that is random starts from.", .whole(from: 0, to: 1 << 53)),
    .init(
      "transports", "The transports to compare.",
      .list(.words(TransportKind.self), atLeast: 1, atMost: nil)),
    .init(
      "tls", "How connections are secured; with a list, all of it is compared.",
      .either([
        .words(TLSMode.self), .list(.words(TLSMode.self), atLeast: 1, atMost: nil),
      ])),
    .init(
      "sessions", "Whether sessions end with their connections.", .words(SessionKind.self)),
    .init(
      "network", "The network between clients and server: a name, or its values.",
      .either([.words(NetworkProfile.self), .object(network)])),
    .init(
      "headers", "Which header fields requests carry beyond those they need.",
      .words(HeaderProfile.self)),
    .init(
      "compression", "Whether messages are compressed; with a list, all of it is compared.",
      .either([
        .words(Compression.self), .list(.words(Compression.self), atLeast: 1, atMost: nil),
      ])),
    .init(
      "faults", "What breaks while it is measured.", .list(.object(fault), atLeast: 1, atMost: nil)),
    .init(
      "reconnect", "How long clients wait before they come back.", .object(reconnect)),
    .init(
      "published", "What somebody has published about the same thing.", .object(published)),
    .init(
      "sweep", "Rates and payloads to repeat all of it with, each with each.", .object(sweep)),
    .init("suite", "Whether it runs with the others of its folder when none is named.", .truth),
    .init("profiles", "What each profile changes.", .object(profiles)),
    .init(
      "thresholds", "What metrics have to stay below: see triwire explain.",
      .members(.pattern("^ *<=? *[0-9.].*$", ["< 50 ms", "<= 1.1 * websocket", "< 1 KB advisory"]))),
    .init(
      "controlPoll", "A control asks with plain GETs at this interval.", .time),
    .init("search", "The capacity to search for, from this load on.", .object(search)),
  ])

  static let sweep = SchemaObject(keys: [
    .init(
      "rate", "Rates of the one flow.", .list(.rate, atLeast: 2, atMost: Sweep.most)),
    .init(
      "payload", "Sizes of its messages.", .list(.size, atLeast: 2, atMost: Sweep.most)),
  ])

  static let search = SchemaObject(keys: [
    .init(
      "vary", "What to search for: messages per second, or clients.",
      .words(CapacitySearch.Varied.self), isRequired: true),
    .init(
      "to", "The most to try: messages all senders send per second, or clients.",
      .number(above: 0, to: CapacitySearch.Limits.rate), isRequired: true),
    .init("slo", "What has to hold.", .object(objective), isRequired: true),
    .init(
      "precision", "By which part what did not hold may lie above what did.",
      .number(above: 0, to: CapacitySearch.Limits.precision.most)),
    .init(
      "probes", "How many probes there may be, each as long as a trial.",
      .whole(
        from: CapacitySearch.Limits.probes.least, to: CapacitySearch.Limits.probes.most)),
  ])

  static let objective = SchemaObject(keys: [
    .init("p50", "How long half of the messages may take.", .time),
    .init("p99", "How long 99 of 100 messages may take.", .time),
    .init(
      "undelivered", "Which part may not arrive; nothing unless said.",
      .number(above: 0, to: 0.5)),
  ])

  static let idle = SchemaObject(keys: [
    .init(
      "steps", "The numbers of clients to stop at, ascending.",
      .list(clients, atLeast: 2, atMost: nil), isRequired: true),
    .init("hold", "How long to stay at each of them.", .time),
  ])

  static let flow = SchemaObject(keys: [
    .init("name", "A name that tells it apart.", .text),
    .init(
      "direction", "Where the messages go.", .words(Flow.Direction.self), isRequired: true),
    .init("from", "Who starts a broadcast.", .words(Flow.Origin.self)),
    .init("rate", "How often.", .rate, isRequired: true),
    .init("arrivals", "In which rhythm.", .words(Flow.Arrivals.self)),
    .init("burst", "Short times of a higher rate.", .object(burst)),
    .init(
      "payload", "How large each message is, its stamp of \(Stamp.length) B included.",
      .either([.size, .object(sizes)]), isRequired: true),
    .init("kind", "Text or binary.", .words(Flow.Kind.self)),
    .init(
      "content", "What fills messages, for compression to work on.",
      .words(Flow.Content.self)),
  ])

  static let burst = SchemaObject(keys: [
    .init(
      "factor", "By how much the rate is multiplied.", .number(above: 1, to: 1000),
      isRequired: true),
    .init("length", "For how long, up to half of every.", .time, isRequired: true),
    .init("every", "From one to the next.", .time, isRequired: true),
    .init("apart", "Whether each sender has its own at another time.", .truth),
  ])

  static let sizes = SchemaObject(keys: [
    .init(
      "uniform", "Each size from the first to the second is equally likely.",
      .list(.size, atLeast: 2, atMost: 2)),
    .init(
      "lognormal", "95 % lie between the two, the rest is cut off to them.",
      .list(.size, atLeast: 2, atMost: 2)),
    .init(
      "record", "Each message is the same record, written in this format.",
      .words(RecordFormat.self)),
  ])

  static let network = SchemaObject(keys: [
    .init("roundTrip", "A round trip, half of it each way.", .time),
    .init("jitter", "How much shorter or longer each way may take.", .time),
    .init("down", "The rate from the server to the client.", .bits),
    .init("up", "The rate from the client to the server.", .bits),
    .init(
      "loss", "How likely a segment is lost at first.",
      .number(above: 0, to: NetworkLimits.loss)),
    .init(
      "lossBurst", "How many losses come in a row on average; true is 3.",
      .either([.truth, .number(above: 1, to: NetworkLimits.lossBurst)])),
    .init("queue", "How much may wait for the line.", .size),
  ])

  static let fault = SchemaObject(keys: [
    .init("at", "When it begins, from the start of what is measured.", .time, isRequired: true),
    .init("for", "How long it is in force; else it strikes what is there.", .time),
    .init("every", "From one beginning to the next.", .time),
    .init(
      "fault", "What it does and to whom: see triwire relay --help.", .text, isRequired: true),
  ])

  static let reconnect = SchemaObject(keys: [
    .init("first", "The most that the first wait takes.", .time, isRequired: true),
    .init("most", "The most that any wait takes.", .time, isRequired: true),
  ])

  static let slow = SchemaObject(keys: [
    .init("clients", "How many there are.", .whole(from: 1, to: 10_000), isRequired: true),
    .init("reads", "How many bytes each reads in a second.", .size, isRequired: true),
    .init("receiveBuffer", "How much the kernel keeps for each that is not read.", .size),
    .init(
      "policy", "What the server does when one falls behind.", .words(SlowReaders.Policy.self)),
    .init("queue", "How much waits for each in the server before that.", .size),
  ])

  static let visitors = SchemaObject(keys: [
    .init("every", "From the coming of one to that of the next.", .time, isRequired: true),
    .init("stays", "For how long each gets lines.", .time, isRequired: true),
    .init(
      "lines", "How many lines each gets in a second.", .whole(from: 1, to: 10_000),
      isRequired: true),
    .init("payload", "How large a line is.", .size, isRequired: true),
  ])

  static let published = SchemaObject(keys: [
    .init("source", "Where it can be read: an address or a DOI.", .text, isRequired: true),
    .init("citation", "Who published it, where and when.", .text, isRequired: true),
    .init("why", "Why it differs from what is measured.", .text),
    .init(
      "values", "Its figures.", .list(.object(publishedValue), atLeast: 1, atMost: nil)),
  ])

  static let publishedValue = SchemaObject(keys: [
    .init("of", "What it is the figure of.", .text, isRequired: true),
    .init(
      "transport", "Over which transport; without it, it is not measured.",
      .words(TransportKind.self)),
    .init(
      "over", "By whose figure it is divided, where it is a ratio.", .words(TransportKind.self)),
    .init("tls", "In which mode of TLS, where there are several.", .words(TLSMode.self)),
    .init("value", "The figure.", .number(above: 0, to: 1e12), isRequired: true),
    .init("unit", "What it counts.", .words(PublishedValue.Unit.self), isRequired: true),
    .init("ours", "Ours as it ought to be counted, such as \"open.http + 5 * app\".", .text),
    .init("theirWay", "Ours as they counted theirs.", .text),
  ])

  static let profiles = SchemaObject(
    keys: Profile.allCases.map {
      .init($0.rawValue, "What \($0.rawValue) changes.", .object(changes))
    })

  static let changes = SchemaObject(keys: [
    .init("clients", "How many clients are connected.", clients),
    .init("idle", "Clients that connect in steps and do nothing.", .object(idle)),
    .init("warmUp", "How long messages flow before anything is measured.", .time),
    .init("duration", "How long messages flow and are measured.", .time),
    .init("drain", "How long to wait for what is under way at the end.", .time),
    .init("repetitions", "How often each transport is measured.", repetitions),
  ])
}
