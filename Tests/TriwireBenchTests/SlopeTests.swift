import Testing

@testable import TriwireBench

@Suite("Slope")
struct SlopeTests {
  @Test("Points on a line give its slope without error")
  func exact() throws {
    let slope = try #require(Slope([0, 1000, 2000, 3000].map { ($0, 5_000_000 + 1600 * $0) }))
    #expect(abs(slope.value - 1600) < 1e-6)
    #expect(slope.standardError < 1e-6)
    #expect(slope.isSound)
  }

  @Test("Points off the line give the error of the textbook")
  func scattered() throws {
    // R: summary(lm(c(1, 3, 2, 5) ~ c(0, 1, 2, 3))) says 1.1, error 0.5196152.
    let slope = try #require(Slope([(0, 1), (1, 3), (2, 2), (3, 5)]))
    #expect(abs(slope.value - 1.1) < 1e-9)
    #expect(abs(slope.standardError - 0.519615) < 1e-6)
    #expect(slope.isSound)
  }

  @Test("Two points, or points at one place, have no slope worth a figure")
  func none() {
    #expect(Slope([(0, 0), (1, 1)]) == nil)
    #expect(Slope([(1, 0), (1, 1), (1, 2)]) == nil)
    #expect(Slope([]) == nil)
  }
}
