import TriwireCodec
import TriwireIO

/// How bytes go on to the other side, with the faults that concern bytes.
extension Link {
  /// Bytes that a trickling lane sends before others have their turn, each a system call.
  private static let trickleBurst = 64

  /// Whether a lane looks at further bytes now.
  func canTake(_ lane: Lane) -> Bool {
    if isOver || lane.isStalled { return false }
    if lane.dropsAll { return true }
    if lane.waitsInOutbox > 0 || lane.isBlocked || lane.held.count > home.bufferBytes {
      return false
    }
    guard lane === up, !isTransparent else { return true }
    guard case .no = waiting else { return false }
    return exchanges.count < RelayLoop.pipelined
  }

  /// Reads bytes that came, in order.
  func digest(_ bytes: Span<UInt8>, _ lane: Lane) {
    if isTransparent || lane.dropsAll {
      enter(bytes, lane)
    } else if lane === up {
      readRequests(bytes)
    } else {
      readAnswers(bytes)
    }
  }

  func digestKept(_ lane: Lane) {
    let bytes = lane.kept
    lane.kept = []
    lane.keptCanWait = false
    digest(bytes.span, lane)
  }

  /// Keeps bytes that were not read; `canWait` says that they can be read without more behind them.
  func keep(_ bytes: Span<UInt8>, _ lane: Lane, canWait: Bool) {
    guard !bytes.isEmpty else { return }
    lane.kept.append(copying: bytes)
    lane.keptCanWait = canWait
  }

  /// Passes bytes on, or as much of them as can go now; the rest waits.
  func enter(_ bytes: Span<UInt8>, _ lane: Lane) {
    guard !isOver else { return }
    lane.entered += UInt64(bytes.count)
    let used = lane.waitsInOutbox == 0 ? pass(bytes, lane) : 0
    if used < bytes.count, !isOver {
      lane.outbox.append(copying: bytes.extracting(used..<bytes.count))
    }
  }

  /// - Returns: How many bytes from the front are gone.
  private func pass(_ bytes: Span<UInt8>, _ lane: Lane) -> Int {
    var offset = 0
    var burst = Self.trickleBurst
    while offset < bytes.count, !isOver {
      if lane.dropsAll {
        lose(bytes.count - offset, lane)
        return bytes.count
      }
      guard !lane.isStalled, !lane.isBlocked else { break }
      guard let sink = sink(of: lane) else {
        connect()
        break
      }
      if lane.trickles > 0 {
        guard burst > 0 else {
          pumpLater(lane)
          break
        }
        burst -= 1
      }
      let most = min(bytes.count - offset, lane.bytesToMark)
      let count = lane.trickles > 0 ? min(1, most) : most
      sink.writeThrough(bytes.extracting(offset..<offset + count))
      offset += count
      lane.position += UInt64(count)
      home.count(passed: count, lane.direction)
      lane.isBlocked = sink.queuedBytes > RelayLoop.highWater
      while let fault = lane.takeReached() { fault.strike() }
    }
    return offset
  }

  private func lose(_ count: Int, _ lane: Lane) {
    lane.position += UInt64(count)
    if lane.mutes > 0 { lane.hasLost = true }
    home.count(lost: count, lane.direction)
    // Places that are passed in the dark are passed.
    while let fault = lane.takeReached() { fault.strike() }
  }

  private func pumpLater(_ lane: Lane) {
    guard !lane.isPumpPlanned else { return }
    lane.isPumpPlanned = true
    let isUp = lane === up
    loop.post { [self] in
      let lane = isUp ? up : down
      lane.isPumpPlanned = false
      pump(lane)
    }
  }

  /// Passes on what waits, then goes on reading if that is possible.
  ///
  /// Within a call that works on the lane it does nothing: that call does it when it is done.
  func pump(_ lane: Lane) {
    guard !isOver, !lane.isBusy else { return }
    if lane.waitsInOutbox > 0 {
      lane.isBusy = true
      let box = lane.outbox
      let used = pass(box.span.extracting(lane.outboxStart..<box.count), lane)
      lane.outboxStart += used
      if lane.waitsInOutbox == 0 {
        lane.outbox = []
        lane.outboxStart = 0
      }
      lane.isBusy = false
    }
    settle(lane)
  }

  /// Reads on or lets the sender wait, as the lane can take more or not, and passes its end on.
  func settle(_ lane: Lane) {
    guard !isOver, !lane.isBusy else { return }
    while lane.keptCanWait, canTake(lane) {
      lane.isBusy = true
      digestKept(lane)
      lane.isBusy = false
    }
    guard !isOver else { return }
    if let source = source(of: lane) {
      if lane.wire.map({ !$0.isFull }) ?? canTake(lane) {
        source.resumeReading()
      } else {
        source.pauseReading()
      }
    }
    arrange(lane)
    settleEnd(lane)
  }
}
