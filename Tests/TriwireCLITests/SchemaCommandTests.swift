import Foundation
import Testing
import TriwireBench

@Suite("Schema")
struct SchemaCommandTests {
  @Test("The schema is printed, and nothing else")
  func printed() async throws {
    let outcome = try await triwire("schema")
    #expect(outcome.status == 0)
    #expect(outcome.output == ScenarioFile.schema + "\n")
    #expect(outcome.complaint == "")
    let refused = try await triwire("schema", "echo.json")
    #expect(refused.status == 64)
  }
}
