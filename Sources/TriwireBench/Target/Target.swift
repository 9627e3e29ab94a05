/// What is measured instead of a server that is started for each trial.
public enum Target: Sendable {
  /// A `triwire serve --trials` that runs already, here or elsewhere.
  case server(TargetAddress)
  /// Servers that nobody here wrote, with the authorities to trust for them, as PEM.
  case foreign(ForeignServers, authorities: String?)

  /// The server of a trial.
  func server(for trial: Trial) -> any MeasuredServer {
    switch self {
    case .server(let address): TargetServer(address)
    case .foreign(let servers, let authorities): ForeignServer(servers, authorities)
    }
  }

  /// What went wrong with it, with its name in the sentence.
  func sentence(of error: any Error) -> String {
    guard case .server(let address) = self, !"\(error)".contains(address.url) else {
      return "\(error)"
    }
    return "the target \(address.url) failed: \(error)"
  }

  /// What cannot be measured of it, by the names of ``Measurement``.
  var unmeasured: [String] {
    switch self {
    // What others have used and given back is not taken again, so that slopes would say nothing.
    case .server: ["memory"]
    case .foreign: ForeignServers.unmeasured
    }
  }

  /// Why a plan cannot run against it, as a sentence; `nil` when it can.
  public func objection(to plan: Plan) -> String? {
    plan.scenarios.lazy.compactMap { scenario in
      objection(to: scenario).map { "\(scenario.name) \($0)" }
    }.first
  }

  private func objection(to scenario: Scenario) -> String? {
    switch self {
    case .server(let address): address.objection(to: scenario)
    case .foreign(let servers, _): servers.objection(to: scenario)
    }
  }
}

/// Where a `triwire serve --trials` is, and what it takes to be let in.
public struct TargetAddress: Sendable {
  /// What the URLs of its trials begin with, such as `http://host:8080`.
  public let url: String
  /// The authorities to trust, as PEM; `nil` is those of the system.
  public let authorities: String?
  /// What both sides know and nobody else; `nil` where it asks for nothing.
  public let secret: String?

  /// A place.
  ///
  /// - Parameters:
  ///   - url: An http or https URL; a slash at its end is left out.
  ///   - authorities: The authorities to trust, as PEM.
  ///   - secret: What both sides know.
  /// - Throws: ``ReportError`` when the URL is none of those.
  public init(url: String, authorities: String? = nil, secret: String? = nil) throws(ReportError) {
    let isKnown = ["http://", "https://"].contains { url.hasPrefix($0) && url.count > $0.count }
    let isPlain = !url.contains { "?# ".contains($0) }
    guard isKnown, isPlain else {
      throw ReportError(
        description: "\(url) is no target: write http://HOST:PORT or https://HOST:PORT, and where "
          + "a proxy wants one a path")
    }
    var url = url[...]
    while url.hasSuffix("/") { url.removeLast() }
    self.url = String(url)
    self.authorities = authorities
    self.secret = secret
  }

  /// Where clients find it.
  var place: TrialPlace { TrialPlace(url: url, authorities: authorities) }

  /// Why a scenario cannot run there, as the rest of a sentence.
  func objection(to scenario: Scenario) -> String? {
    if scenario.idle != nil {
      return "measures what idle clients take of a fresh server, and a target is not fresh: leave "
        + "it out, or run it without --target"
    }
    if scenario.faults != nil || scenario.slow != nil {
      let what = scenario.faults != nil ? "faults" : "slow readers"
      return "has \(what), for which a server is set up anew: leave it out, or run it without "
        + "--target"
    }
    let isSecure = place.isSecure
    if let mode = scenario.tls.first(where: { ($0 != .off) != isSecure }) {
      return isSecure
        ? "wants no TLS and the target is \(url): write --tls 1.3"
        : "wants \(mode.name) and the target is \(url): write --tls off, or an https URL"
    }
    if isSecure, scenario.isRelayed {
      return "imitates a network, and no relay can stand before an https target: leave it out, or "
        + "use an http URL"
    }
    return nil
  }
}
