/// What the header fields of one message say about where it ends and what follows it.
struct FramingFields: Equatable {
  /// The options of `Connection` that mean something here (RFC 9110 §7.6.1).
  struct Connection: OptionSet {
    let rawValue: UInt8
    static let close = Connection(rawValue: 1)
    static let keepAlive = Connection(rawValue: 2)
    static let upgrade = Connection(rawValue: 4)
  }

  enum TransferCoding: Equatable {
    case none
    case chunked
    /// Well-formed, but not the single `chunked` that is understood.
    case unknown
  }

  enum Expectation: Equatable {
    case none
    case `continue`
    case unknown
  }

  var contentLength: Int?
  var transferCoding = TransferCoding.none
  var connection: Connection = []
  var expectation = Expectation.none
  var hostCount = 0
  var hasUpgrade = false

  /// Takes note of a field, if it is one of those that frame.
  @inline(__always)
  mutating func note(
    _ input: Span<UInt8>, name: Range<Int>, value: Range<Int>
  ) throws(HTTPViolation) {
    switch name.count {
    case 4, 6, 7, 10, 14, 17: try noteKnown(input, name: name, value: value)
    default: break
    }
  }

  private mutating func noteKnown(
    _ input: Span<UInt8>, name: Range<Int>, value: Range<Int>
  ) throws(HTTPViolation) {
    switch name.count {
    case 4 where input.matches("host", in: name):
      try noteHost(input, value)
    case 6 where input.matches("expect", in: name):
      noteExpect(input, value)
    case 7 where input.matches("upgrade", in: name):
      hasUpgrade = hasUpgrade || !value.isEmpty
    case 10 where input.matches("connection", in: name):
      noteConnection(input, value)
    case 14 where input.matches("content-length", in: name):
      try noteContentLength(input, value)
    case 17 where input.matches("transfer-encoding", in: name):
      try noteTransferEncoding(input, value)
    default: break
    }
  }

  private mutating func noteHost(
    _ input: Span<UInt8>, _ value: Range<Int>
  ) throws(HTTPViolation) {
    hostCount += 1
    // RFC 9112 §3.2: more than one Host, or one that is not valid, is answered with 400.
    guard hostCount == 1 else { throw .badRequest("more than one host header field") }
    guard RequestTarget.isAuthority(input, in: value, portRequired: false) else {
      throw .badRequest("host header field is not a host and port")
    }
  }

  private mutating func noteExpect(_ input: Span<UInt8>, _ value: Range<Int>) {
    let isContinue = input.matches("100-continue", in: value)
    // RFC 9110 §10.1.1: any expectation other than 100-continue may be answered with 417.
    expectation = isContinue && expectation == .none ? .continue : .unknown
  }

  private mutating func noteConnection(_ input: Span<UInt8>, _ value: Range<Int>) {
    var options = connection
    input.forEachListMember(in: value) { member in
      if input.matches("close", in: member) { options.insert(.close) }
      if input.matches("keep-alive", in: member) { options.insert(.keepAlive) }
      if input.matches("upgrade", in: member) { options.insert(.upgrade) }
      return true
    }
    connection = options
  }

  private mutating func noteContentLength(
    _ input: Span<UInt8>, _ value: Range<Int>
  ) throws(HTTPViolation) {
    // RFC 9112 §6.3: repeated lengths may be merged if they are equal, or refused; a sender of
    // two lengths is broken or hostile. A list ("5, 5") falls to the check of its digits.
    guard contentLength == nil else { throw .badRequest("more than one content-length") }
    // RFC 9110 §8.6: Content-Length = 1*DIGIT; a sign, a space or an overflow is refused.
    guard let length = input.decimal(in: value) else {
      throw .badRequest("content-length is not a number, or too large a one")
    }
    contentLength = length
  }

  private mutating func noteTransferEncoding(
    _ input: Span<UInt8>, _ value: Range<Int>
  ) throws(HTTPViolation) {
    // RFC 9112 §6.1: chunked is applied once; lists and repeated fields are other codings.
    if transferCoding == .none, input.matches("chunked", in: value) {
      transferCoding = .chunked
      return
    }
    var members = 0
    var chunkedAt: [Int] = []
    var isMalformed = transferCoding == .chunked
    input.forEachListMember(in: value) { member in
      members += 1
      if input.matches("chunked", in: member) { chunkedAt.append(members) }
      if !input.isTransferCoding(member) { isMalformed = true }
      return true
    }
    // RFC 9112 §6.3: an encoding that does not end in one chunked has no reliable length.
    let isChunkedMisplaced = !chunkedAt.isEmpty && (chunkedAt != [members] || members == 1)
    if isMalformed || members == 0 || (isChunkedMisplaced && transferCoding == .none) {
      throw .badRequest("transfer-encoding is malformed, or chunked is not its single last coding")
    }
    transferCoding = .unknown
  }
}

extension Span where Element == UInt8 {
  /// Whether a range begins with the token of a coding, alone or before parameters
  /// (RFC 9112 §7: `transfer-coding = token *( OWS ";" OWS transfer-parameter )`).
  fileprivate func isTransferCoding(_ member: Range<Int>) -> Bool {
    var index = member.lowerBound
    while index < member.upperBound, ByteClass.isToken(self[index]) { index += 1 }
    guard index > member.lowerBound else { return false }
    while index < member.upperBound, ByteClass.isWhitespace(self[index]) { index += 1 }
    return index == member.upperBound || self[index] == Byte.semicolon
  }
}
