import CLinux
import Glibc

// How a stream ends: by its owner, by its peer, or by a failure.
extension ByteStream {
  /// Sends what waits, then closes.
  ///
  /// The handler is let go and hears nothing more.
  package func close() {
    guard phase == .open else { return }
    phase = .closing
    handler = nil
    tail.clear()
    if loop.outputOwner === self { flushShared() }
    if let tls { sealEnd(tls) }
    guard phase == .closing else { return }
    if !queue.isEmpty, watched & TW_OUT == 0 { flushQueue() } else { finishClosing() }
    guard phase == .closing else { return }
    movedBefore = moved.bytesSent
    armTimer(after: Self.stallNanoseconds)
  }

  /// Sends what waits, then tells the peer that nothing more comes; what the peer sends still does.
  ///
  /// For plain streams. Nothing may be written after it; `close` when the peer has ended too.
  package func endOutput() {
    precondition(tls == nil, "TLS has an end of its own: close")
    guard phase == .open, output == .goesOn else { return }
    output = .ends
    flush()
    shutOutput()
  }

  func shutOutput() {
    guard phase == .open, output == .ends, queue.isEmpty, loop.outputOwner !== self else { return }
    output = .hasEnded
    _ = tw_shutdown_write(descriptor)
    loop.systemCalls.close += 1
  }

  func armTimer(after nanoseconds: UInt64) {
    let deadline = loop.now + nanoseconds
    if let timer {
      loop.wheel.move(timer, to: deadline)
    } else {
      timer = loop.wheel.arm(self, at: deadline)
    }
  }

  func disarmTimer() {
    if let timer { loop.wheel.cancel(timer) }
    timer = nil
  }

  /// Ends by a failure that the peer is told of by what was sent already, and reads what still
  /// comes, so that no reset overtakes it.
  func failGently(_ error: IOError) {
    guard phase == .open else { return }
    let handler = self.handler
    tls?.finish(.failure(error))
    handler?.failed(self, error)
    close()
  }

  /// Drops what waits and closes with a reset.
  ///
  /// The handler is let go and hears nothing more.
  package func abort() {
    guard phase != .closed else { return }
    _ = tw_reset_on_close(descriptor)
    release()
  }

  /// The loop will tell nothing any more: what is open here would stay so for ever.
  ///
  /// Its handler hears of it, since it and what it serves hold each other until they end.
  package func loopEnded() {
    guard phase == .open else { return phase == .closed ? () : release() }
    fail(IOError("use a connection", reason: "its event loop was stopped"))
  }

  func finishClosing() {
    guard phase == .closing, queue.isEmpty, loop.outputOwner !== self else { return }
    if inputHasEnded { return release() }
    if output != .hasEnded {
      _ = tw_shutdown_write(descriptor)
      loop.systemCalls.close += 1
    }
    phase = .lingering
    movedBefore = moved.bytesReceived
    watch()
    armTimer(after: Self.lingerNanoseconds)
  }

  func discardInput() {
    guard let base = unsafe loop.input.baseAddress else { return }
    let count = unsafe receiveNow(base, loop.input.count)
    if count == 0, phase == .closing {
      inputHasEnded = true
      watch()
    } else if count <= 0, count != -Int(EAGAIN) {
      release()
    }
  }

  func fail(_ error: IOError) {
    guard phase != .closed else { return }
    let handler = self.handler
    release()
    tls?.finish(.failure(error))
    handler?.failed(self, error)
  }

  /// Reports a failure after the present call, since a writer does not expect to be closed by it.
  func failSoon(_ error: IOError) {
    if phase == .closing { return release() }
    queue.clear()
    loop.post { [self] in fail(error) }
  }

  func release() {
    if loop.outputOwner === self {
      loop.outputOwner = nil
      loop.outputCount = 0
    }
    phase = .closed
    handler = nil
    tail.clear()
    queue.clear()
    tls?.release()
    disarmTimer()
    loop.remove(token)
    Glibc.close(descriptor)
    loop.systemCalls.close += 1
    descriptor = -1
  }
}

extension ByteStream: TimerOwner {
  /// The peer did not finish the handshake, take what was left for it, or end, in time.
  package func timerFired(now: UInt64) -> UInt64 {
    if phase == .open {
      timer = nil
      failGently(IOError("secure a connection", tls: .deadlinePassed))
      return 0
    }
    if phase == .closing {
      // Whoever takes some of it, however slowly, gets it all.
      if moved.bytesSent > movedBefore {
        movedBefore = moved.bytesSent
        return now + Self.stallNanoseconds
      }
      _ = tw_reset_on_close(descriptor)
    }
    // Whoever still sends is read for a while, so that no reset overtakes what it was sent.
    if phase == .lingering, moved.bytesReceived > movedBefore, lingered < Self.mostLingering {
      movedBefore = moved.bytesReceived
      lingered += 1
      return now + Self.lingerNanoseconds
    }
    timer = nil
    release()
    return 0
  }
}
