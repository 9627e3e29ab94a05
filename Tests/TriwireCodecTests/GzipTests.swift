import Testing
import TriwireCodec

/// All that a body decompresses to, given to the reader in pieces of `step` bytes.
private func read(
  _ body: [UInt8], _ reader: GzipReader, step: Int = .max
) throws(GzipReader.Failure) -> [UInt8] {
  var back: [UInt8] = []
  var start = 0
  while start < body.count {
    let end = step == .max ? body.count : min(start + step, body.count)
    let piece = body.span.extracting(start..<end)
    var offset = 0
    while try reader.next(piece, at: &offset, { back.append(copying: $0) }) {}
    #expect(offset == piece.count)
    start = end
  }
  return back
}

private let word = Array("the quick brown fox jumps over the lazy dog; ".utf8)

private func text(_ size: Int) -> [UInt8] {
  (0..<size).map { word[$0 % word.count] ^ UInt8(truncatingIfNeeded: $0 >> 12) }
}

@Suite("Gzip")
struct GzipTests {
  @Test(
    "Each piece can be read as soon as it is there, however it is cut (RFC 1952)",
    arguments: [9, 12, 15])
  func pieces(windowBits: Int) throws {
    var options = GzipOptions()
    options.windowBits = windowBits
    for step in [Int.max, 1, 7] {
      let writer = GzipWriter(options)
      let reader = GzipReader(ratio: 2000)
      for size in [1, 63, 1000, 20_000, 5] {
        for relation in [GzipWriter.Relation.free, .alone, .stored] {
          let piece = text(size)
          #expect(try read(writer.write(piece.span, relation), reader, step: step) == piece)
          #expect(!reader.isWhole)
        }
      }
      #expect(try read(writer.finish(text(10).span), reader, step: step) == text(10))
      #expect(reader.isWhole)
    }
  }

  @Test("A body stands by itself, and several of them are one (RFC 1952 §2.2)")
  func members() throws {
    let writer = GzipWriter(GzipOptions())
    let reader = GzipReader(ratio: 2000)
    let bodies = [writer.finish(text(300).span), writer.finish(text(2).span)]
    #expect(try read(bodies[0] + bodies[1], reader) == text(300) + text(2))
    #expect(reader.isWhole)
    reader.reset()
    #expect(try read(bodies[1], reader) == text(2))
    #expect(reader.isWhole)
  }

  @Test("What another program wrote is read: gzip's own bytes, with a name in the head")
  func foreign() throws {
    let body: [UInt8] = [
      0x1F, 0x8B, 0x08, 0x08, 0x00, 0x00, 0x00, 0x00, 0x02, 0xFF, 0x61, 0x00, 0xCB, 0x48, 0xCD,
      0xC9, 0xC9, 0x07, 0x00, 0x86, 0xA6, 0x10, 0x36, 0x05, 0x00, 0x00, 0x00,
    ]
    for step in [Int.max, 1] {
      let reader = GzipReader(ratio: 2000)
      #expect(try read(body, reader, step: step) == Array("hello".utf8))
      #expect(reader.isWhole)
    }
  }

  @Test("What is no gzip is refused: other bytes, zlib's format, a wrong checksum")
  func malformed() throws {
    var wrong = GzipWriter(GzipOptions()).finish(text(100).span)
    wrong[wrong.count - 6] ^= 1
    let zlib: [UInt8] = [0x78, 0x9C, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]
    for body in [wrong, zlib, Array("data: hello\n\n".utf8)] {
      #expect(throws: GzipReader.Failure.malformed) {
        try read(body, GzipReader(ratio: 2000))
      }
    }
    let whole = GzipWriter(GzipOptions()).finish(text(100).span)
    let reader = GzipReader(ratio: 2000)
    #expect(try read(Array(whole.dropLast()), reader) == text(100))
    #expect(!reader.isWhole)
  }

  @Test("A bomb comes in parts of 16 KiB, and is refused when it grows beyond the ratio")
  func bomb() throws {
    let bomb = GzipWriter(GzipOptions()).finish([UInt8](repeating: 0, count: 4 << 20).span)
    let reader = GzipReader(ratio: 2000)
    var offset = 0
    var parts: [Int] = []
    while try reader.next(bomb.span, at: &offset, { parts.append($0.count) }) {}
    #expect(parts.reduce(0, +) == 4 << 20)
    #expect(parts.allSatisfy { $0 <= GzipReader.part })
    #expect(throws: GzipReader.Failure.overRatio) { try read(bomb, GzipReader(ratio: 100)) }
  }

  @Test("A piece that stands alone is no shorter for an earlier one, nor makes a later one so")
  func relations() {
    // Nothing in it repeats, so that all that is saved is by what came before.
    var state: UInt64 = 1
    let secret = (0..<400).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 33)
    }
    for relation in [GzipWriter.Relation.alone, .stored] {
      let writer = GzipWriter(GzipOptions())
      _ = writer.write(text(10).span)
      #expect(writer.write(secret.span, relation).count >= 400)
      #expect(writer.write(secret.span, relation).count >= 400)
      #expect(writer.write(secret.span).count >= 400)
      #expect(writer.write(secret.span).count < 50)
    }
  }

  @Test("Seeded mutations of a body give bytes or a failure, never a trap")
  func mutations() {
    var seed: UInt64 = 7
    func draw(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    let writer = GzipWriter(GzipOptions())
    let body = writer.write(text(500).span) + writer.finish(text(700).span)
    for _ in 0..<2000 {
      var mutated = body
      for _ in 0...draw(3) { mutated[draw(mutated.count)] = UInt8(draw(256)) }
      let reader = GzipReader(ratio: 2000)
      var offset = 0
      var made = 0
      do throws(GzipReader.Failure) {
        while try reader.next(mutated.span, at: &offset, { made += $0.count }), made < 1 << 20 {}
      } catch {}
      #expect(offset <= mutated.count)
    }
  }
}
