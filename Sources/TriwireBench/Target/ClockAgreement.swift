/// How one clock stands to another, from questions that were asked and answered.
///
/// An answer gives the time there; it was read at some moment between question and answer, so that
/// half the round trip is the most by which the middle can be wrong. The shortest round trip tells
/// most (the filter of NTP, RFC 5905 §10).
struct ClockAgreement: Equatable, Sendable {
  /// One question: when it was asked here, which time it was there, when the answer came here.
  struct Question: Equatable, Sendable {
    let asked: UInt64
    let there: UInt64
    let answered: UInt64

    var roundTrip: UInt64 { answered - min(answered, asked) }
  }

  /// By how much the clock there is ahead of the one here, in nanoseconds.
  var offset: Int64
  /// By how much ``offset`` can be wrong at most, in nanoseconds.
  var error: UInt64
  /// The shortest round trip, in nanoseconds.
  var roundTrip: UInt64

  /// Whether both can be the same clock: nothing speaks against it.
  var canBeOne: Bool { offset.magnitude <= error }

  /// By how much ``offset`` can be wrong at any time from this agreement to a later one, in
  /// nanoseconds, if the clocks drift evenly.
  func error(until later: ClockAgreement) -> UInt64 {
    let low = min(offset - Int64(error), later.offset - Int64(later.error))
    let high = max(offset + Int64(error), later.offset + Int64(later.error))
    return max((offset - low).magnitude, (high - offset).magnitude)
  }

  /// A time of this clock on the clock there.
  func there(_ time: UInt64) -> UInt64 { time &+ UInt64(bitPattern: offset) }
}

extension ClockAgreement {
  /// What some questions say; `nil` of none.
  init?(_ questions: [Question]) {
    guard let best = questions.min(by: { $0.roundTrip < $1.roundTrip }) else { return nil }
    let middle = best.asked + best.roundTrip / 2
    offset = Int64(bitPattern: best.there &- middle)
    error = (best.roundTrip + 1) / 2
    roundTrip = best.roundTrip
  }
}

/// What has to be said of figures of a server that runs elsewhere.
public struct TargetMeasurement: Sendable, Equatable, Codable {
  /// How times of the two sides were put together.
  public enum Clock: String, Sendable, CaseIterable, Codable {
    /// Both read the same clock of the same machine: one-way times are exact.
    case shared
    /// The offset was estimated: one-way times are right up to an error.
    case estimated
    /// All times are of one clock, that of the clients.
    case own
  }

  /// How times of the two sides were put together.
  public var clock: Clock
  /// By how much one-way times can be wrong at most; 0 where they are exact.
  public var errorMicroseconds: Double
  /// The shortest time that a question and its answer took; `nil` where nobody was asked.
  public var roundTripMicroseconds: Double?
  /// By how much the offset of the clocks was found changed after the trial; `nil` where nobody was
  /// asked.
  public var driftMicroseconds: Double?
  /// Whether both sides counted the same bytes: not where something in between speaks HTTP itself;
  /// `nil` where that was not compared.
  public var isReconciled: Bool?

  /// What is to be said where nobody but the clients reads a clock.
  static var ofEchoes: TargetMeasurement { TargetMeasurement(clock: .own, errorMicroseconds: 0) }
}

extension TargetMeasurement {
  /// What two agreements around a trial say.
  init(_ before: ClockAgreement, _ after: ClockAgreement, isShared: Bool) {
    clock = isShared ? .shared : .estimated
    errorMicroseconds = isShared ? 0 : Double(before.error(until: after)) / 1000
    roundTripMicroseconds = Double(min(before.roundTrip, after.roundTrip)) / 1000
    driftMicroseconds = Double(after.offset - before.offset) / 1000
  }
}
