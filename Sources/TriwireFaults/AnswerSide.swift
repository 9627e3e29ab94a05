import TriwireCodec
import TriwireIO

/// How the server's bytes are read.
extension Link {
  /// Reads answers, and passes them on.
  func readAnswers(_ input: Span<UInt8>) {
    var offset = 0
    var done = 0
    do {
      while canTake(down), !down.dropsAll, !isTransparent {
        let event = try answers.nextEvent(in: input, at: &offset)
        switch event {
        case .head(_, let framing):
          pass(head: input.extracting(done..<offset))
          if framing.body == .handedOver { switchProtocol() } else { goOn() }
        case .body(let range):
          pass(body: range, of: input, from: done)
        case .end:
          pass(input.extracting(done..<offset))
          done = offset
          endExchange()
        case .informational, nil:
          pass(input.extracting(done..<offset))
        }
        done = offset
        guard event != nil else {
          return keep(input.extracting(done..<input.count), down, canWait: false)
        }
      }
    } catch {
      stopReading()
    }
    let rest = input.extracting(done..<input.count)
    if isTransparent || down.dropsAll {
      enter(rest, down)
    } else {
      keep(rest, down, canWait: true)
    }
  }

  /// Passes bytes of an answer on, or holds them.
  private func pass(_ bytes: Span<UInt8>) {
    guard !bytes.isEmpty else { return }
    guard let exchange = exchanges.first, isHeld(exchange) else { return enter(bytes, down) }
    down.held.append(copying: bytes)
    if case .buffer(let size?, _)? = exchange.hold?.rule.fault, down.held.count >= size {
      release()
    }
  }

  private func isHeld(_ exchange: Exchange) -> Bool {
    guard case .buffer(_, let holdsHead)? = exchange.hold?.rule.fault else { return false }
    return exchange.hasHead || holdsHead
  }

  /// Passes on what a buffer holds.
  func release() {
    guard !down.held.isEmpty else { return }
    let bytes = down.held
    down.held = []
    enter(bytes.span, down)
  }

  private func pass(head: Span<UInt8>) {
    pass(head)
    guard let exchange = exchanges.first else { return }
    exchange.hasHead = true
    exchange.hold?.strike()
    strikeMarks(of: exchange, upTo: 0)
  }

  private func pass(body range: Range<Int>, of input: Span<UInt8>, from start: Int) {
    guard let exchange = exchanges.first else {
      return pass(input.extracting(start..<range.upperBound))
    }
    var from = start
    // A fault in the middle strikes between its two halves.
    while let next = exchange.marks.map(\.bodyBytes).min(),
      next <= exchange.bodyBytes + (range.upperBound - max(from, range.lowerBound)), !isOver
    {
      let count = next - exchange.bodyBytes
      let end = max(from, range.lowerBound) + count
      pass(input.extracting(from..<end))
      from = end
      exchange.bodyBytes = next
      strikeMarks(of: exchange, upTo: next)
    }
    exchange.bodyBytes += range.upperBound - max(from, range.lowerBound)
    pass(input.extracting(from..<range.upperBound))
  }

  /// Lets faults strike when what was passed on of an answer has gone out.
  func strikeMarks(of exchange: Exchange, upTo count: Int) {
    let reached = exchange.marks.filter { $0.bodyBytes <= count }
    exchange.marks.removeAll { $0.bodyBytes <= count }
    for each in reached where !isOver {
      mark(down, at: down.entered + UInt64(down.held.count), each.fault)
    }
  }

  /// The answer to an upgrade is there, and it is another one than 101.
  private func goOn() {
    if case .forSwitch = waiting, exchanges.count == 1 {
      waiting = .no
      settle(up)
    }
  }

  private func switchProtocol() {
    release()
    let exchange = exchanges.isEmpty ? nil : exchanges.removeFirst()
    for each in exchange?.marks ?? [] {
      mark(down, at: down.entered + UInt64(each.bodyBytes), each.fault)
    }
    stopReading()
  }

  /// Forgets what was planned for an answer that is over.
  private func forget(_ exchange: Exchange) {
    for each in exchange.marks { drop(each.fault) }
    if let hold = exchange.hold { drop(hold) }
  }

  private func endExchange() {
    release()
    guard !isOver, !exchanges.isEmpty else { return }
    forget(exchanges.removeFirst())
    if case .forTurn(let answer) = waiting, exchanges.isEmpty { return give(answer) }
    if exchanges.count == RelayLoop.pipelined - 1 { settle(up) }
  }

  /// Passes everything on unread from now on, since it is not HTTP, or no more.
  func stopReading() {
    isTransparent = true
    waiting = .no
    release()
    for exchange in exchanges { forget(exchange) }
    exchanges = []
    for lane in [up, down] {
      lane.keptCanWait = !lane.kept.isEmpty
      settle(lane)
    }
  }
}
