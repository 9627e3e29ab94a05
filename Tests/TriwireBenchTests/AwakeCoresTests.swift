import Testing
import Triwire

@testable import TriwireBench

@Suite("Cores that are kept awake")
struct AwakeCoresTests {
  @Test("Quotas of control groups are told apart from none, in both versions' files")
  func quotas() {
    for text in ["max 100000", "-1", "", "max"] { #expect(!AwakeCores.isQuota(text), "\(text)") }
    for text in ["200000 100000", "50000"] { #expect(AwakeCores.isQuota(text), "\(text)") }
  }

  @Test("The group and all above it are looked at")
  func ancestors() {
    #expect(AwakeCores.ancestors(of: "/") == [""])
    #expect(AwakeCores.ancestors(of: "/a/b c/d") == ["", "/a", "/a/b c", "/a/b c/d"])
  }

  @Test("A run that serves elsewhere has the clients' core alone")
  func cores() {
    let (here, elsewhere) = (AwakeCores.cores(true), AwakeCores.cores(false))
    #expect(here.isEmpty && elsewhere.isEmpty || here.count == 2 && elsewhere == [here[1]])
  }

  @Test("What does not begin keeps no core awake, and none is said to be")
  func notBegun() throws {
    let awake = try AwakeCores(servesHere: true, executable: "/bin/false")
    #expect(awake.text.isEmpty)
    #expect(!AwakeCores.areAwake)
  }
}
