import TriwireCodec

/// A request that was passed on and whose answer is not whole yet.
final class Exchange {
  let kind: RequestKind
  let method: HTTPMethod
  /// Whether the request that was passed on asks for another protocol.
  let isUpgrade: Bool
  /// Faults that strike when so many bytes of the answer's body were passed on.
  var marks: [(bodyBytes: Int, fault: ArmedFault)] = []
  /// What holds the answer back.
  var hold: ArmedFault?
  /// Bytes of the body that have come.
  var bodyBytes = 0
  var hasHead = false

  init(kind: RequestKind, method: HTTPMethod, isUpgrade: Bool) {
    self.kind = kind
    self.method = method
    self.isUpgrade = isUpgrade
  }
}

/// What becomes of a request.
enum Verdict {
  /// It is passed on as it is.
  case pass
  case strip(ActiveRule)
  case downgrade(ActiveRule)
  /// The relay answers it itself.
  case refuse(ActiveRule, status: Int)
  case fake(ActiveRule)
  case swallow(ActiveRule)
}
