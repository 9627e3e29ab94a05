/// What faults did in a trial, and what the clients made of it, while messages were measured.
public struct FaultMeasurement: Sendable, Equatable, Codable {
  /// How often faults struck, by the first words of their specs.
  public var struck: [String: Int] = [:]
  /// Connections that clients found lost.
  public var lost: UInt64 = 0
  /// How often a session moved to a better transport without having lost one.
  public var moved: UInt64 = 0
  /// How often a session came back without its messages, as the server knew it no more.
  public var unrecovered: UInt64 = 0
  /// From the fault that cost a client its connection to the moment it found that lost.
  ///
  /// That is the end of a connection up to 100 ms before, or else the first mute, stall, black hole
  /// or buffer in the last 2.5 s, or else the first end in the last second; no other counts.
  public var noticeMicroseconds = Durations()
  /// From the moment a client found its connection lost to the next that carries its session.
  public var returnMicroseconds = Durations()
  /// From that fault to the next connection that carries the session.
  public var recoverMicroseconds = Durations()
  /// Messages that were sent again, by either side.
  public var sentAgain: UInt64 = 0
  /// Messages that came twice and were dropped as repeats, by either side.
  public var droppedRepeats: UInt64 = 0
  /// Attempts of the clients to reach the server, the openings with them.
  public var attempts: UInt64 = 0
  /// The share of the sessions' time by transport; `none` is without a connection.
  public var shares: [String: Double] = [:]
  /// Why clients gave connections up, in their words, and how often; beyond 32
  /// different ones they count as `other`.
  public var causes: [String: Int] = [:]
  /// What came of each fault of the scenario, in its order.
  public var outcomes: [FaultOutcome] = []

  /// A measurement of no fault.
  public init() {}
}

/// What came of one fault of a scenario, each time it was there.
public struct FaultOutcome: Sendable, Equatable, Codable {
  /// What it is and when.
  public var fault: String
  /// How often it struck a connection.
  public var struck: UInt64 = 0
  /// Sessions whose connection it cost, or whose return it struck.
  public var sessions: UInt64 = 0
  /// The longest that a client took to find its connection lost; `nil` when it cost none.
  public var slowestNoticeMicroseconds: Double?
  /// The longest that a client took from then to the next connection.
  public var slowestReturnMicroseconds: Double?
  /// What carried those sessions afterwards, and how often.
  public var carriers: [String: Int] = [:]

  /// A fault that did not strike yet.
  public init(_ fault: String) { self.fault = fault }
}
