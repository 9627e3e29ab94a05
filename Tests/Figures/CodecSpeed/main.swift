import Glibc
import TriwireCodec

// How fast one core unmasks and checks UTF-8, beside what it takes to copy the same bytes.
// Prints gigabytes per second, the best of several rounds, and the ratio to memcpy in the same run.

let size = 1 << 20
let rounds = 40

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

/// Prints one line.
func report(_ name: String, _ bytes: Int, _ seconds: Double, floor: Double) {
  let rate = Double(bytes) / seconds / 1e9
  let padded = name + String(repeating: " ", count: max(0, 34 - name.count))
  print(
    "\(padded)\((rate * 10).rounded() / 10) GB/s, \((rate / floor * 100).rounded() / 100) of memcpy"
  )
}

func run() {
  var buffer = [UInt8](repeating: 0x61, count: size + 1)
  var copy = buffer
  let copying = best {
    buffer.withUnsafeBytes { from in
      copy.withUnsafeMutableBytes { to in
        to.copyMemory(from: UnsafeRawBufferPointer(rebasing: from[..<size]))
      }
    }
  }
  let floor = Double(size) / copying / 1e9
  report("memcpy", size, copying, floor: floor)
  for offset in [0, 1] {
    let seconds = best {
      buffer.withUnsafeMutableBytes {
        var mask = WebSocketMask(littleEndian: 0x1234_5678)
        mask.apply(to: UnsafeMutableRawBufferPointer(rebasing: $0[offset..<offset + size]))
      }
    }
    report("unmask in place, offset \(offset)", size, seconds, floor: floor)
  }
  for (name, sample) in [
    ("ASCII", "The quick brown fox jumps over it. "),
    ("Cyrillic", "Съешь же ещё этих мягких булок "),
    ("CJK", "敏捷的棕色狐狸跳过懒狗"), ("mixed", "naïve 狐狸 🦊 plain text in between; "),
  ] {
    let unit = Array(sample.utf8)
    let text = (0..<size / unit.count).flatMap { _ in unit }
    var isValid = true
    let whole = best {
      var validator = UTF8Validator()
      isValid = validator.consume(text.span) && isValid
    }
    report("UTF-8, \(name), whole", text.count, whole, floor: floor)
    let pieces = best {
      var validator = UTF8Validator()
      for start in stride(from: 0, to: text.count, by: 1447) {
        let piece = text.span.extracting(start..<min(start + 1447, text.count))
        isValid = validator.consume(piece) && isValid
      }
    }
    report("UTF-8, \(name), pieces of 1447", text.count, pieces, floor: floor)
    precondition(isValid)
  }
}

run()
