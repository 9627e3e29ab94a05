import Testing

@testable import TriwireBench

@Suite("Page")
struct PageTests {
  private let header = ["", "one", "three"]
  private let rows = [["long name", "1", "333"], ["b", "1,000", "3"]]

  @Test("A table that fits is one table, its figures flush right")
  func whole() {
    let text = """
                     one  three
        long name      1    333
        b          1,000      3

      """
    #expect(Page().table(header, rows) == text)
    #expect(Page(width: 26).table(header, rows) == text)
  }

  @Test("Columns that do not fit follow below, beside the first column again")
  func folded() {
    let text = """
                     one
        long name      1
        b          1,000

                   three
        long name    333
        b              3

      """
    #expect(Page(width: 24).table(header, rows) == text)
    // However narrow it is, a column has its place.
    #expect(Page(width: 1).table(header, rows) == text)
  }

  @Test("A paragraph is broken between words, and a word that is too long stands alone")
  func paragraph() {
    #expect(Page().wrapped("some words here") == "some words here\n")
    #expect(
      Page(width: 10).wrapped("  some words of which one is indispensable to all", hanging: 4)
        == "  some\n    words\n    of\n    which\n    one is\n    indispensable\n    to all\n")
    #expect(Page(width: 80).narrowed(to: 4).wrapped("two words") == "two\nwords\n")
  }
}
