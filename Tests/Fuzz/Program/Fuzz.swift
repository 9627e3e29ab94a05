import FuzzedParsers
import Glibc

// Feeds a parser whatever libFuzzer invents. Which one is in TRIWIRE_FUZZ; see Tests/Fuzz/run.

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

/// The program: hands over to libFuzzer.
@_cdecl("Fuzz_main")
public func fuzzMain(
  _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> Int32 {
  var count = count
  var arguments = arguments
  return runDriver(&count, &arguments, testOne)
}

/// Does nothing: libFuzzer's library wants the symbol, and the driver is given the function itself.
@_cdecl("LLVMFuzzerTestOneInput")
public func unusedTest(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 { 0 }

let parser: FuzzedParser = {
  let name = getenv("TRIWIRE_FUZZ").map { String(cString: $0) } ?? ""
  guard let parser = FuzzedParser(rawValue: name) else {
    fatalError("TRIWIRE_FUZZ is \"\(name)\", which is no parser: see Tests/Fuzz/run --help")
  }
  return parser
}()

let testOne: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32 = { bytes, count in
  if let finding = parser.finding(in: Array(UnsafeBufferPointer(start: bytes, count: count))) {
    fatalError(finding)
  }
  return 0
}
