import Glibc

/// A folder for one test, which goes with it.
package final class Folder: Sendable {
  private let root: String

  package struct Failure: Error {}

  package init() throws {
    var template = Array("/tmp/triwire-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw Failure() }
    root = String(cString: made)
  }

  deinit {
    if let folder = opendir(root) {
      while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        unlink(path(name))
      }
      closedir(folder)
    }
    rmdir(root)
  }

  package func path(_ name: String) -> String { "\(root)/\(name)" }

  /// Replaces a file.
  package func write(_ text: String, to name: String) throws {
    guard let file = fopen(path(name), "w") else { throw Failure() }
    fputs(text, file)
    fclose(file)
  }
}
