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

  @Test("A run that serves elsewhere names the clients' core alone")
  func cores() {
    let (here, elsewhere) = (
      AwakeCores.text(servesHere: true), AwakeCores.text(servesHere: false)
    )
    #expect(here.isEmpty == elsewhere.isEmpty)
    #expect(here.isEmpty || here.hasPrefix("cores ") && elsewhere.hasPrefix("core "))
  }

  @Test("The environment says what was asked for")
  func environment() {
    let idle = Environment.current(commandLine: [], startedAt: "", keepsAwake: false)
    let awake = Environment.current(commandLine: [], startedAt: "", keepsAwake: true)
    #expect(idle.keptAwake.isEmpty)
    #expect(awake.keptAwake == AwakeCores.text(servesHere: true))
  }
}
