import Glibc
import TriwireCodec

// How fast one core unmasks and checks UTF-8, beside what it takes to copy the same bytes.
// Prints gigabytes per second, the best of several rounds, and the ratio to memcpy in the same run.
// With the argument "agree", it compares the check with the standard library's instead.

let rounds = 40

/// Kinds of text, each by a piece that is repeated.
let samples = [
  ("ASCII", "The quick brown fox jumps over it. "),
  ("Cyrillic", "Съешьжеещёэтихмягкихфранцузскихбулок"),
  ("Greek", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία "),
  ("CJK", "敏捷的棕色狐狸跳过懒狗"),
  ("emoji", "😀🦊🎉🚀"),
  ("Latin", "Ça va être élégant à Zürich, où l'été naît. "),
  ("mixed", "naïve 狐狸 🦊 plain text in between; "),
  ("JSON", #"{"name":"Jürgen","city":"Łódź","id":18446,"tags":["a","b"],"note":"none so far"},"#),
]

/// Seconds of the fastest round.
func best(_ body: () -> Void) -> Double {
  var shortest = Double.infinity
  for _ in 0..<rounds {
    var start = timespec()
    var end = timespec()
    clock_gettime(CLOCK_MONOTONIC, &start)
    body()
    clock_gettime(CLOCK_MONOTONIC, &end)
    let seconds = Double(end.tv_sec - start.tv_sec) + Double(end.tv_nsec - start.tv_nsec) / 1e9
    shortest = min(shortest, seconds)
  }
  return shortest
}

/// The sample, repeated up to a length in bytes.
func text(_ sample: String, _ size: Int) -> [UInt8] {
  let unit = Array(sample.utf8)
  return (0..<size / unit.count).flatMap { _ in unit }
}

/// Prints one line.
func report(_ name: String, _ bytes: Int, _ seconds: Double, floor: Double) {
  func rounded(_ number: Double, _ unit: Double) -> Double { (number * unit).rounded() / unit }
  let rate = Double(bytes) / seconds / 1e9
  let padded = name + String(repeating: " ", count: max(0, 34 - name.count))
  print("  \(padded)\(rounded(rate, 10)) GB/s, \(rounded(rate / floor, 1000)) of memcpy")
}

/// Gigabytes that memcpy copies in a second, when it copies as many at once.
func copyFloor(_ size: Int) -> Double {
  let buffer = [UInt8](repeating: 0x61, count: size)
  var copy = buffer
  let seconds = best {
    buffer.withUnsafeBytes { from in copy.withUnsafeMutableBytes { $0.copyMemory(from: from) } }
  }
  let floor = Double(size) / seconds / 1e9
  report("memcpy", size, seconds, floor: floor)
  return floor
}

/// Unmasks in place.
func measureMask(_ size: Int, floor: Double) {
  var buffer = [UInt8](repeating: 0x61, count: size + 1)
  for offset in [0, 1] {
    let seconds = best {
      buffer.withUnsafeMutableBytes {
        var mask = WebSocketMask(littleEndian: 0x1234_5678)
        mask.apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[offset..<offset + size]))
      }
    }
    report("unmask in place, offset \(offset)", size, seconds, floor: floor)
  }
}

/// Checks a text whole and in pieces, then as the codec does with a frame: unmasked and checked.
func measureText(_ name: String, _ text: [UInt8], floor: Double) {
  var isValid = true
  let whole = best { isValid = UTF8Validator.fault(in: text.span) == nil && isValid }
  report("\(name), whole", text.count, whole, floor: floor)
  let standard = best { isValid = (try? UTF8Span(validating: text.span)) != nil && isValid }
  report("\(name), standard library", text.count, standard, floor: floor)
  let pieces = best {
    var validator = UTF8Validator()
    for start in stride(from: 0, to: text.count, by: 1447) {
      let piece = text.span.extracting(start..<min(start + 1447, text.count))
      isValid = validator.firstFault(in: piece) == nil && isValid
    }
  }
  report("\(name), pieces of 1447", text.count, pieces, floor: floor)
  // With the mask 0, which is a mask like any other, a frame stays what it was.
  let length = UInt64(text.count)
  var frame: [UInt8] = [0x81, 0xFF] + (0..<8).map { UInt8(length >> (56 - 8 * $0) & 0xFF) }
  frame += [0, 0, 0, 0] + text
  let unmasked = best {
    var codec = WebSocketCodec(role: .server, messageBytes: .max / 2)
    var offset = 0
    var input = frame.mutableSpan
    let event = try? codec.nextEvent(in: &input, at: &offset)
    isValid = event == .message(.text, 14..<frame.count) && isValid
  }
  report("\(name), unmasked and checked", text.count, unmasked, floor: floor)
  precondition(isValid)
}

if CommandLine.arguments.dropFirst().first == "agree" {
  exit(checkAgreement() ? 0 : 1)
}
for size in [1 << 17, 1 << 20] {
  print("\(size) bytes")
  let floor = copyFloor(size)
  measureMask(size, floor: floor)
  for (name, sample) in samples { measureText(name, text(sample, size), floor: floor) }
}
