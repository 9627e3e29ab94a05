/// What one direction of a WebSocket moved: a `Ledger` that costs an idle connection less.
struct FrameLedger {
  var messages: UInt64 = 0
  var payload: UInt64 = 0
  var framing: UInt64 = 0
  var control: UInt64 = 0
  /// The handshake, which is all the HTTP there is.
  let http: UInt32

  init(http: UInt64) { self.http = UInt32(clamping: http) }

  /// Counts one message.
  mutating func count(payload bytes: Int) {
    messages &+= 1
    payload &+= UInt64(bytes)
  }

  /// The whole ledger; `saved` is what compression took off.
  func ledger(saved: Int) -> Ledger {
    var ledger = Ledger()
    ledger.messages = messages
    ledger.payload = payload
    ledger.framing = framing
    ledger.control = control
    ledger.http = UInt64(http)
    ledger.saved = UInt64(truncatingIfNeeded: saved)
    return ledger
  }
}
