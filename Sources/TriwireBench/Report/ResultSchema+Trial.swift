import Triwire

// What stands in a trial of a result.
extension ResultSchema {
  static let delivery = SchemaObject(keys: [
    .init(
      "expected", "How many messages had to arrive, a broadcast counted once for each receiver.",
      .count, isRequired: true),
    .init("delivered", "How many of them arrived, each counted once.", .count, isRequired: true),
    .init("lost", "How many had not arrived at the end of the drain.", .count, isRequired: true),
    .init(
      "duplicated", "How many arrivals repeated a message that was there already.",
      .count, isRequired: true),
    .init(
      "reordered", "How many arrived after a later one of the same sender.",
      .count, isRequired: true),
  ])

  static let flowMeasurement = SchemaObject(keys: [
    .init("name", "The name of the flow.", .text, isRequired: true),
    .init("delivery", "What became of its messages.", .object(delivery), isRequired: true),
    .init(
      "latencyMicroseconds", "From the intended time of sending to arrival.",
      .object(durations), isRequired: true),
  ])

  static let byteLedger = SchemaObject(keys: [
    .init(
      "messages",
      "How many messages arrived in that time, a broadcast counted once for each receiver.",
      .count, isRequired: true),
    .init("up", "From clients to server.", .object(byteLayers), isRequired: true),
    .init("down", "From server to clients.", .object(byteLayers), isRequired: true),
  ])

  static let interfaceCheck = SchemaObject(keys: [
    .init("opening", "While the sessions were opened.", .object(interfaceCount)),
    .init("measuring", "While messages were measured.", .object(interfaceCount)),
  ])

  static let targetMeasurement = SchemaObject(keys: [
    .init(
      "clock", "How times of the two sides were put together.",
      .words(TargetMeasurement.Clock.self), isRequired: true),
    .init(
      "errorMicroseconds",
      "By how much one-way times can be wrong at most; 0 where they are exact.",
      .figure, isRequired: true),
    .init(
      "roundTripMicroseconds",
      """
      The shortest time that a question and its answer took; left out where nobody was asked.
      """,
      .figure),
    .init(
      "driftMicroseconds",
      """
      By how much the offset of the clocks was found changed after the trial; left out where \
      nobody was asked.
      """,
      .figure),
    .init(
      "isReconciled",
      """
      Whether both sides counted the same bytes: not where something in between speaks HTTP \
      itself. Left out where that was not compared.
      """,
      .truth),
  ])

  static let connectionCost = SchemaObject(keys: [
    .init("opened", "How many sessions were opened.", .count, isRequired: true),
    .init(
      "connectMicroseconds", "From the start of connecting to the TCP connection.",
      .object(durations), isRequired: true),
    .init(
      "secureMicroseconds",
      "From the TCP connection to the end of the TLS handshake; empty without TLS.",
      .object(durations), isRequired: true),
    .init(
      "openMicroseconds", "From the start of connecting to the open session.",
      .object(durations), isRequired: true),
    .init(
      "firstMessageMicroseconds",
      """
      From the start of connecting to the first message received, where the client received \
      one.
      """,
      .object(durations), isRequired: true),
    .init(
      "roundTrips", "Round trips from the start of connecting until a first message can arrive.",
      .figure, isRequired: true),
    .init(
      "wireBytesUp", "Bytes of IP packets from client to server, per connection.",
      .figure, isRequired: true),
    .init(
      "wireBytesDown", "Bytes of IP packets from server to client, per connection.",
      .figure, isRequired: true),
    .init(
      "httpBytesUp",
      "Bytes of HTTP from client to server (and of a proxy's tunnel), per connection.",
      .figure, isRequired: true),
    .init(
      "httpBytesDown", "Bytes of HTTP from server to client, per connection.",
      .figure, isRequired: true),
    .init("tlsBytesUp", "What of them TLS adds, per connection.", .figure, isRequired: true),
    .init("tlsBytesDown", "What of them TLS adds, per connection.", .figure, isRequired: true),
    .init(
      "clientSystemCalls", "System calls of the client, per connection.",
      .figure, isRequired: true),
    .init(
      "serverSystemCalls",
      "System calls of the server, per connection; left out where not measured.", .figure),
    .init(
      "serverCPUMicroseconds",
      "CPU time of the server, per connection; left out where not measured.", .figure),
  ])

  static let faultMeasurement = SchemaObject(keys: [
    .init(
      "struck", "How often faults struck, by the first words of their specs.",
      .members(.count), isRequired: true),
    .init("lost", "Connections that clients found lost.", .count, isRequired: true),
    .init(
      "moved", "How often a session moved to a better transport without having lost one.",
      .count, isRequired: true),
    .init(
      "unrecovered",
      "How often a session came back without its messages, as the server knew it no more.",
      .count, isRequired: true),
    .init(
      "noticeMicroseconds",
      "From the fault that cost a client its connection to the moment it found that lost.",
      .object(durations), isRequired: true),
    .init(
      "returnMicroseconds",
      "From the moment a client found its connection lost to the next that carries its session.",
      .object(durations), isRequired: true),
    .init(
      "recoverMicroseconds", "From that fault to the next connection that carries the session.",
      .object(durations), isRequired: true),
    .init(
      "sentAgain", "Messages that were sent again, by either side.",
      .count, isRequired: true),
    .init(
      "droppedRepeats", "Messages that came twice and were dropped as repeats, by either side.",
      .count, isRequired: true),
    .init(
      "attempts", "Attempts of the clients to reach the server, the openings with them.",
      .count, isRequired: true),
    .init(
      "shares", "The share of the sessions' time by transport; `none` is without a connection.",
      .members(.figure), isRequired: true),
    .init(
      "causes",
      """
      Why clients gave connections up, in their words, and how often; beyond 32 different ones \
      they count as `other`.
      """,
      .members(.count), isRequired: true),
    .init(
      "outcomes", "What came of each fault of the scenario, in its order.",
      .some(.object(faultOutcome)), isRequired: true),
  ])

  static let networkMeasurement = SchemaObject(keys: [
    .init("segments", "Segments that travelled, in both directions.", .count, isRequired: true),
    .init("lostSegments", "Segments of these that were lost at first.", .count, isRequired: true),
    .init(
      "lateMicroseconds",
      "How much later than it should the relay let go of bytes: what its own timer adds.",
      .object(durations), isRequired: true),
  ])

  static let slowdown = SchemaObject(keys: [
    .init("cpu", "CPU time on top of what the server needs, as a part of that.", .figure),
    .init("delay", "How much later each echo is sent, and nothing else done meanwhile.", .time),
  ])

  static let slowMeasurement = SchemaObject(keys: [
    .init("clients", "How many there were.", .count, isRequired: true),
    .init(
      "offered", "How many messages the server had for them, those of the warm-up included.",
      .count, isRequired: true),
    .init("read", "How many of them they read.", .count, isRequired: true),
    .init(
      "dropped", "How many the server dropped since they were behind.",
      .count, isRequired: true),
    .init("closed", "How many of their sessions the server closed.", .count, isRequired: true),
    .init(
      "memoryGrowth",
      """
      By how many bytes the server's own pages (`Anonymous`) grew while messages flowed; less \
      than nothing where it gave some back.
      """,
      .figure, isRequired: true),
  ])

  static let visitMeasurement = SchemaObject(keys: [
    .init("visits", "How many there were.", .count, isRequired: true),
    .init("lines", "Lines that came.", .count, isRequired: true),
    .init(
      "firstLineMicroseconds", "From the start of connecting to the first line.",
      .object(durations), isRequired: true),
    .init(
      "completionMicroseconds",
      """
      From the moment the last line was due to the moment the client knew that it was the \
      last.
      """,
      .object(durations), isRequired: true),
    .init("payload", "Bytes of the lines.", .count, isRequired: true),
    .init(
      "socket",
      "Bytes that the sessions' sockets moved in both directions, TLS included, TCP and IP not.",
      .count, isRequired: true),
    .init("failures", "What went wrong, as sentences.", .some(.text), isRequired: true),
  ])

  static let cpuCost = SchemaObject(keys: [
    .init("wallMicroseconds", "How long that was.", .figure, isRequired: true),
    .init(
      "serverMicroseconds", "CPU time of the server, all threads; left out where not measured.",
      .figure),
    .init(
      "clientMicroseconds",
      """
      CPU time of the clients' process, all threads; a relay that breaks things is one of \
      them.
      """,
      .figure, isRequired: true),
    .init(
      "serverWaitMicroseconds",
      """
      How long the server's threads were ready to run and had to wait for a core; left out where \
      not measured.
      """,
      .figure),
    .init(
      "clientWaitMicroseconds",
      "How long the clients' threads were ready to run and had to wait for a core.",
      .figure, isRequired: true),
    .init(
      "serverMicrosecondsPerMessage", "CPU time of the server, per message that arrived.",
      .figure),
    .init(
      "clientMicrosecondsPerMessage", "CPU time of the clients' process, per message that arrived.",
      .figure),
  ])

  static let heartbeatMeasurement = SchemaObject(keys: [
    .init("beats", "How many heartbeats were measured.", .count, isRequired: true),
    .init(
      "wireBytesUp", "Bytes of IP packets from client to server, per heartbeat.", .figure,
      isRequired: true),
    .init(
      "wireBytesDown", "Bytes of IP packets from server to client, per heartbeat.", .figure,
      isRequired: true),
    .init(
      "packets", "Packets of both sides, pure acknowledgements included, per heartbeat.", .figure,
      isRequired: true),
    .init(
      "secondsBetween", "How often there is one in the sessions of the trial, in seconds.",
      .figure, isRequired: true),
  ])

  static let memoryCost = SchemaObject(keys: [
    .init(
      "steps", "What was read, by growing number of connections.",
      .some(.object(step)), isRequired: true),
    .init(
      "proportionalPerConnection", "Growth of `Pss` per connection, in bytes.",
      .object(slope)),
    .init(
      "privateDirtyPerConnection", "Growth of `Private_Dirty` per connection, in bytes.",
      .object(slope)),
    .init(
      "anonymousPerConnection", "Growth of `Anonymous` per connection, in bytes.",
      .object(slope)),
    .init(
      "descriptorsPerConnection", "Growth of open descriptors per connection.",
      .object(slope)),
    .init(
      "kernelPerConnection",
      """
      Growth of the kernel's slab memory per connection, both ends together, in bytes; \
      whatever else the machine does is in it.
      """,
      .object(slope)),
  ])

  static let validity = SchemaObject(keys: [
    .init(
      "sentLateP99",
      """
      How late messages were sent, 99 % of them no later, in microseconds; left out where too \
      few were.
      """,
      .figure),
    .init(
      "serverWaited",
      """
      Part of the time in which threads of the server were ready to run and had no core; left out \
      where not measured.
      """,
      .figure),
    .init("clientsWaited", "The same of the clients' process.", .figure, isRequired: true),
    .init(
      "pressure",
      """
      Part of the time in which some task of the machine waited for a core (PSI); left out \
      where the kernel does not tell.
      """,
      .figure),
    .init(
      "serverBusy", "Part of one core that the server used; left out where not measured.", .figure),
    .init(
      "clientsBusy", "Part of one core that the clients' process used.",
      .figure, isRequired: true),
    .init(
      "clockDrift",
      "By how much the clock ran differently from the machine's oscillator, as a part.",
      .figure, isRequired: true),
    .init("growth", "What Timeline/growth is.", .figure),
    .init(
      "doubts", "What disturbed the trial, as sentences; empty when nothing did.",
      .some(.text), isRequired: true),
    .init(
      "limits", "What was at its limit, as sentences; empty when nothing was.",
      .some(.text), isRequired: true),
  ])

  static let byteLayers = SchemaObject(keys: [
    .init("payload", "The applications' own bytes.", .count, isRequired: true),
    .init(
      "framing",
      "What the transport puts around a message: WebSocket headers, event fields, chunk sizes.",
      .count, isRequired: true),
    .init(
      "control", "What keeps sessions alive and ends them: pings, comments, close frames.",
      .count, isRequired: true),
    .init("http", "Request and response heads.", .count, isRequired: true),
    .init(
      "tls", "What TLS adds: handshakes, the surroundings of records, tickets and alerts.",
      .count, isRequired: true),
    .init(
      "saved",
      """
      What compression took off payload, framing and control together; less than nothing where \
      it added some, and left out where nothing was compressed.
      """,
      .figure),
    .init("socket", "All bytes handed to the kernel.", .count, isRequired: true),
    .init(
      "tcpip", "TCP and IP headers: 52 bytes per segment, which is IPv4 with TCP timestamps.",
      .count, isRequired: true),
    .init(
      "retransmitted",
      """
      Bytes the kernel had to send again; left out where not known, since only who sends them \
      knows.
      """,
      .count),
    .init("segments", "Segments sent, pure acknowledgements included.", .count, isRequired: true),
    .init(
      "acknowledgements", "Segments that carried nothing but an acknowledgement.",
      .count, isRequired: true),
  ])

  static let interfaceCount = SchemaObject(keys: [
    .init("bytes", "Bytes of IP packets.", .count, isRequired: true),
    .init("packets", "Packets.", .count, isRequired: true),
    .init(
      "duplicateReports",
      """
      Bytes of options with which TCP told of segments that came twice (RFC 2883): 12 each, \
      and the one thing in a packet that no socket counts.
      """,
      .count, isRequired: true),
  ])

  static let faultOutcome = SchemaObject(keys: [
    .init("fault", "What it is and when.", .text, isRequired: true),
    .init("struck", "How often it struck a connection.", .count, isRequired: true),
    .init(
      "sessions", "Sessions whose connection it cost, or whose return it struck.",
      .count, isRequired: true),
    .init(
      "slowestNoticeMicroseconds",
      "The longest that a client took to find its connection lost; `nil` when it cost none.",
      .figure),
    .init(
      "slowestReturnMicroseconds",
      "The longest that a client took from then to the next connection.",
      .figure),
    .init(
      "carriers", "What carried those sessions afterwards, and how often.",
      .members(.count), isRequired: true),
  ])

  static let step = SchemaObject(keys: [
    .init("clients", "Sessions open at that moment.", .count, isRequired: true),
    .init(
      "proportional", "The server's share of its pages (`Pss`), in bytes.",
      .count, isRequired: true),
    .init(
      "privateDirty", "Pages only the server has, and has written to (`Private_Dirty`), in bytes.",
      .count, isRequired: true),
    .init(
      "anonymous", "Pages that stand for no file (`Anonymous`), in bytes.",
      .count, isRequired: true),
    .init("descriptors", "Open descriptors.", .count, isRequired: true),
    .init(
      "cpuShare", "CPU time of the server while it held them, as a part of one core.",
      .figure, isRequired: true),
    .init(
      "kernel",
      """
      The slab memory of the kernel (`Slab`), of the whole machine and so of both ends, in \
      bytes; left out where not known.
      """,
      .count),
  ])

  static let slope = SchemaObject(keys: [
    .init("value", "The growth per unit.", .figure, isRequired: true),
    .init(
      "standardError",
      "The standard error of the growth, from how far the points lie off the line.",
      .figure, isRequired: true),
  ])

  static let durations = SchemaObject(keys: [
    .init("count", "How many there are.", .count, isRequired: true),
    .init("mean", "Their mean, in microseconds.", .figure, isRequired: true),
    .init("standardDeviation", "Their standard deviation.", .figure, isRequired: true),
    .init(
      "p50", "What half of them do not exceed; null with too few above it.",
      .nullable, isRequired: true),
    .init("p90", "The same of 90 %.", .nullable, isRequired: true),
    .init("p99", "The same of 99 %.", .nullable, isRequired: true),
    .init("p999", "The same of 99.9 %.", .nullable, isRequired: true),
    .init("min", "The shortest.", .figure, isRequired: true),
    .init("max", "The longest.", .figure, isRequired: true),
    .init("histogram", "All of them.", .object(histogram), isRequired: true),
    .init(
      "hdrHistogram", "The same as HdrHistogram encodes it: version 2, compressed, base64.",
      .text, isRequired: true),
  ])

  static let histogram = SchemaObject(keys: [
    .init("unit", "The unit of all here.", .choice(["ns"]), isRequired: true),
    .init(
      "significantDigits", "How exact buckets are, as HdrHistogram says it.",
      .whole(from: 3, to: 3), isRequired: true),
    .init("minimum", "The shortest, exact.", .count, isRequired: true),
    .init("maximum", "The longest, exact.", .count, isRequired: true),
    .init("sum", "All together, exact.", .count, isRequired: true),
    .init("overflow", "How many were longer than 60 s.", .count, isRequired: true),
    .init(
      "buckets", "The filled buckets: number and count.",
      .some(.some(.count)), isRequired: true),
  ])

  static let timeline = SchemaObject(keys: [
    .init("secondsPerPoint", "How long a point is.", .count, isRequired: true),
    .init(
      "points", "Count, p50, p99 and maximum of each, in microseconds.",
      .some(.some(.nullable)), isRequired: true),
  ])
}
