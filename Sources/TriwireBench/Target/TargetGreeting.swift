import Triwire

/// What both sides of a trial say first, so that neither misunderstands the other: the one thing that
/// every version has to be able to read.
struct TargetGreeting: Codable, Sendable {
  /// The version of what is said on the control route.
  static let version = 1

  /// The version that is spoken.
  var trials = TargetGreeting.version
  /// The version of results.
  var results = Report.currentSchema
  /// The version of Triwire.
  var triwire = Environment.version

  /// Why a driver who said this cannot work with a server, as a sentence; `nil` when it can.
  func disagreement(with server: TargetGreeting) -> String? {
    guard trials != server.trials || results != server.results || triwire != server.triwire else {
      return nil
    }
    return "the driver is \(words) and the target is \(server.words): use the same build for both"
  }

  private var words: String { "Triwire \(triwire) (trials \(trials), results \(results))" }
}

/// What a target answers to a greeting.
struct TargetAnswer: Codable, Sendable {
  /// Its own greeting.
  var greeting = TargetGreeting()
  /// Why it serves nothing; `nil` when it does.
  var refusal: String?
  /// What it is, once the versions agree.
  var server: TargetRecord?
  /// Which start of which machine it runs in: processes with the same one may share a clock.
  var bootID: String?
  /// Whether it compresses for clients that ask.
  var compresses: Bool?
}

/// The server that a report measured, as far as it changes figures.
public struct TargetRecord: Sendable, Equatable, Codable {
  /// What its URLs begin with.
  public var url: String
  /// The version of Triwire there.
  public var triwireVersion: String
  /// The compiler it was built with, and whether with optimisation.
  public var compiler: String
  /// Name and release of the kernel, and the architecture.
  public var kernel: String
  /// The model of the processor.
  public var processor: String
  /// How many cores the process may use.
  public var cores: Int
  /// On which core it serves, or nothing when the kernel decides.
  public var pinning: String

  /// What this process is for whoever measures it from elsewhere.
  static var own: TargetRecord {
    let here = Environment.current(commandLine: [], startedAt: "")
    return TargetRecord(
      url: "", triwireVersion: here.triwireVersion, compiler: here.compiler, kernel: here.kernel,
      processor: here.processor, cores: here.cores,
      pinning: Cores.server.map { "server on core \($0)" } ?? "")
  }

  /// What differs in another one and changes figures, as phrases.
  func differences(from other: TargetRecord) -> [String] {
    let fields: [(String, KeyPath<TargetRecord, String>)] = [
      ("URL", \.url), ("Triwire", \.triwireVersion), ("compiler", \.compiler),
      ("kernel", \.kernel), ("processor", \.processor), ("pinning", \.pinning),
    ]
    let texts = fields.compactMap { name, field -> String? in
      let (one, another) = (self[keyPath: field], other[keyPath: field])
      return one == another ? nil : "the target's \(name) was \(one) and is \(another)"
    }
    return texts
      + (cores == other.cores ? [] : ["the target's cores were \(cores) and are \(other.cores)"])
  }
}
