import TriwireCodec
import TriwireIO

/// An answer that the relay gives in the server's place.
struct OwnAnswer {
  let head: ResponseHead
  var body = ""
  /// Whether the connection ends with it; it is mute afterwards otherwise.
  let closes: Bool
  let active: ActiveRule
}

/// How a client's bytes are read.
extension Link {
  /// Reads requests, and passes on what stays of them.
  func readRequests(_ input: Span<UInt8>) {
    var offset = 0
    var done = 0
    do {
      while canTake(up), !up.dropsAll {
        let event = try requests.nextEvent(in: input, at: &offset)
        if case .head(let head, let framing) = event {
          let verdict = judge(head, framing)
          if up.dropsAll || isOver { break }
          obey(verdict, head, framing, input.extracting(done..<offset))
        } else if offset > done {
          enter(input.extracting(done..<offset), up)
        }
        done = offset
        guard let event else {
          return keep(input.extracting(done..<input.count), up, canWait: false)
        }
        if case .end = event, exchanges.last?.isUpgrade ?? false { waiting = .forSwitch }
      }
    } catch {
      // Whatever it is, it is no HTTP: from now on it is passed on unread.
      if kind == nil { note(.other) }
      stopReading()
    }
    let rest = input.extracting(done..<input.count)
    if isTransparent || up.dropsAll {
      enter(rest, up)
    } else {
      keep(rest, up, canWait: true)
    }
  }

  private func note(_ kind: RequestKind) {
    self.kind = kind
    home.counters.requests[kind, default: 0] += 1
  }

  /// Counts a request, and lets the rules say what becomes of it.
  private func judge(_ head: RequestHead, _ framing: RequestFraming) -> Verdict {
    let kind = RequestKind(head, isUpgrade: framing.isUpgrade)
    note(kind)
    path = head.path
    let exchange = Exchange(kind: kind, method: head.method, isUpgrade: framing.isUpgrade)
    exchanges.append(exchange)
    var verdict: Verdict?
    for active in home.rules where active.rule.concerns(kind) && active.strikesNext() {
      if !active.rule.fault.isOfHead {
        arm(active, for: exchange)
      } else if verdict == nil {
        verdict = self.verdict(active, framing)
      }
    }
    return verdict ?? .pass
  }

  private func verdict(_ active: ActiveRule, _ framing: RequestFraming) -> Verdict? {
    switch active.rule.fault {
    case .refuseUpgrade(let status): .refuse(active, status: status)
    case .stripUpgrade: .strip(active)
    case .fakeUpgrade: .fake(active)
    case .blackHole: .swallow(active)
    // RFC 9112 §6.1: HTTP/1.0 has no chunks.
    case .downgrade: framing.body == .chunked ? nil : .downgrade(active)
    default: nil
    }
  }

  private func obey(
    _ verdict: Verdict, _ head: RequestHead, _ framing: RequestFraming, _ raw: Span<UInt8>
  ) {
    guard let exchange = exchanges.last else { return }
    switch verdict {
    case .pass:
      answers.requestSent(head.method, upgrade: framing.isUpgrade)
      enter(raw, up)
    case .strip(let active):
      home.record(active.rule, on: self)
      rewrite(head, framing, exchange) { head in
        head.headers["Upgrade"] = nil
        head.headers["Connection"] = nil
      }
    case .downgrade(let active):
      home.record(active.rule, on: self)
      rewrite(head, framing, exchange) { head in
        head.version = .http10
        head.headers["Upgrade"] = nil
        head.headers["Connection"] = nil
        // RFC 9110 §10.1.1: an expectation means nothing in HTTP/1.0.
        head.headers["Expect"] = nil
      }
    case .refuse(let active, let status):
      let head = ResponseHead(
        status: HTTPStatus(status), headers: ["content-type": "text/plain", "connection": "close"])
      answer(
        OwnAnswer(head: head, body: "refused on the way\n", closes: true, active: active))
    case .fake(let active):
      guard let head = ResponseHead(acceptingUpgrade: head) else {
        return obey(.pass, head, framing, raw)
      }
      answer(OwnAnswer(head: head, closes: false, active: active))
    case .swallow(let active):
      exchanges.removeLast()
      mute(active)
      enter(raw, up)
    }
  }

  /// Passes a changed head on; its body follows as it comes.
  private func rewrite(
    _ head: RequestHead, _ framing: RequestFraming, _ exchange: Exchange,
    _ change: (inout RequestHead) -> Void
  ) {
    var head = head
    change(&head)
    let plain = Exchange(kind: exchange.kind, method: exchange.method, isUpgrade: false)
    plain.marks = exchange.marks
    plain.hold = exchange.hold
    exchanges[exchanges.count - 1] = plain
    answers.requestSent(head.method)
    let body: HTTPBodySize =
      switch framing.body {
      case .none: .none
      case .length(let count): .bytes(count)
      case .chunked: .unknown
      }
    let bytes = [UInt8](capacity: HTTPRequestWriter.capacity(head)) { output in
      // A head that was read can be written, as fields were only taken away.
      do { try HTTPRequestWriter.write(head, body: body, into: &output) } catch {}
    }
    enter(bytes.span, up)
  }

  /// Gives the relay's own answer, after those to earlier requests.
  private func answer(_ answer: OwnAnswer) {
    exchanges.removeLast()
    guard exchanges.isEmpty else {
      waiting = .forTurn(answer)
      return
    }
    give(answer)
  }

  /// Gives an answer whose turn it is.
  func give(_ answer: OwnAnswer) {
    waiting = .no
    abandonServer()
    let size: HTTPBodySize = answer.closes ? .bytes(answer.body.utf8.count) : .none
    let bytes = [UInt8](capacity: HTTPResponseWriter.capacity(answer.head) + answer.body.utf8.count)
    { output in
      do {
        let framing = try ResponseFraming(answer.head, body: size, to: .get)
        try HTTPResponseWriter.write(answer.head, framing: framing, into: &output)
        output.append(copying: answer.body.utf8.span)
      } catch {}
    }
    if answer.closes {
      home.record(answer.active.rule, on: self)
      up.isDeaf = true
      enter(bytes.span, down)
      closesAfterAnswer = true
      down.sourceHasEnded = true
    } else {
      enter(bytes.span, down)
      mute(answer.active)
    }
    settle(down)
  }

  /// Throws away what the client sends from now on, until the rule is taken out.
  private func mute(_ active: ActiveRule) {
    guard !isOver else { return }
    let fault = ArmedFault(active, on: self)
    adopt(fault)
    fault.strike()
    up.mutes += 1
    up.hasLost = true
    for lane in [up, down] { pump(lane) }
  }
}

extension ResponseHead {
  /// The answer of RFC 6455 §4.2.2 to a good upgrade request; nil to another.
  fileprivate init?(acceptingUpgrade head: RequestHead) {
    let keys = head.headers.values(of: "Sec-WebSocket-Key")
    guard keys.count == 1, head.headers["Sec-WebSocket-Version"] == "13" else { return nil }
    let digest = Digest.sha1(
      Array(keys[0].utf8) + Array("258EAFA5-E914-47DA-95CA-C5AB0DC85B11".utf8))
    let accept = [UInt8](capacity: Base64.encodedCount(digest.count)) {
      Base64.encode(digest.span, into: &$0)
    }
    self.init(
      status: .switchingProtocols,
      headers: [
        "Upgrade": "websocket", "Connection": "Upgrade",
        "Sec-WebSocket-Accept": String(decoding: accept, as: UTF8.self),
      ])
    // A client that offers protocols may want one of them: the first is what it likes best.
    let offers = head.headers["Sec-WebSocket-Protocol"]?.split(separator: ",").first
    if let offer = offers { headers["Sec-WebSocket-Protocol"] = String(offer.filter { $0 != " " }) }
  }
}
