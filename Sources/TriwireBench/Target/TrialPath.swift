/// Where the server of a trial serves what, wherever that server is.
enum TrialPath {
  /// What all of it stands under.
  static let prefix = "/trials/"
  /// Who measures from elsewhere says here what is to be done.
  static let control = prefix + "control"
  /// A session that is kept alive at a short interval.
  static let beat = prefix + "beat"
  /// Those who come and go.
  static let visit = prefix + "visit"

  /// The session of a client, by its number or by a pattern.
  static func client(_ number: String) -> String { prefix + number }
  /// The session of a client that reads too slowly.
  static func slow(_ number: String) -> String { prefix + "slow/" + number }
}
