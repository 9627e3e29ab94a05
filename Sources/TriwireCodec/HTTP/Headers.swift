/// The header fields of a message, in the order they came, with names compared without case.
///
/// Kept as they stand on the wire: one block of bytes, and one table of positions in it. A parsed
/// head costs these two allocations, and looking a field up allocates nothing but the answer.
/// Repeated names are kept apart. A name or value that could not be written safely (a CR, LF or
/// NUL in a value, say) is kept too, and refused when the head is written (RFC 9110 §5.5).
public struct Headers: Sendable {
  /// Where one field lies in the block; its line runs up to the next field's name.
  struct Field: Sendable {
    var name: UInt32
    var nameLength: UInt32
    var value: UInt32
    var valueLength: UInt32

    var nameRange: Range<Int> { Int(name)..<Int(name &+ nameLength) }
    var valueRange: Range<Int> { Int(value)..<Int(value &+ valueLength) }
  }

  /// Whole field lines, each ended by CRLF.
  private(set) var block: [UInt8]
  private(set) var fields: [Field]
  /// Whether every field can be written.
  private(set) var isWritable: Bool

  /// Creates an empty list of fields.
  public init() {
    block = []
    fields = []
    isWritable = true
  }

  /// Takes over field lines that were parsed, and so are known to be good.
  init(block: [UInt8], fields: [Field]) {
    self.block = block
    self.fields = fields
    isWritable = true
  }

  /// The number of fields, repeated names counted each time.
  public var count: Int { fields.count }

  /// Whether there is no field.
  public var isEmpty: Bool { fields.isEmpty }

  /// The first value of a name, or nil.
  ///
  /// Setting replaces every field of that name by one; setting nil removes them.
  public subscript(name: String) -> String? {
    get {
      guard let index = firstIndex(of: name.utf8.span) else { return nil }
      return value(at: index)
    }
    set {
      if let newValue {
        set(name, to: newValue)
      } else {
        remove(name)
      }
    }
  }

  /// All values of a name, in order, each field line apart.
  public func values(of name: String) -> [String] {
    var values: [String] = []
    var start = 0
    while let index = firstIndex(of: name.utf8.span, from: start) {
      values.append(value(at: index))
      start = index + 1
    }
    return values
  }

  /// Whether there is a field of that name.
  public func contains(_ name: String) -> Bool {
    firstIndex(of: name.utf8.span) != nil
  }

  /// Whether the comma-separated list under a name has a member, compared without case.
  ///
  /// All fields of the name are one list (RFC 9110 §5.3, §5.6.1): this is the question to ask of
  /// `Connection`, `Upgrade` or `Accept-Encoding`. Parameters are part of a member.
  public func contains(token: String, in name: String) -> Bool {
    var found = false
    var start = 0
    while !found, let index = firstIndex(of: name.utf8.span, from: start) {
      let bytes = block.span
      bytes.forEachListMember(in: fields[index].valueRange) { member in
        found = bytes.equals(token.utf8.span, in: member)
        return !found
      }
      start = index + 1
    }
    return found
  }

  /// Adds a field at the end, whether or not the name is there already.
  public mutating func append(_ name: String, _ value: String) {
    let start = block.count
    isWritable = isWritable && Headers.isWritable(name: name, value: value)
    block.append(addingCapacity: name.utf8.count + value.utf8.count + 4) { line in
      line.append(copying: name.utf8.span)
      line.append(": ")
      line.append(copying: value.utf8.span)
      line.append("\r\n")
    }
    fields.append(
      Field(
        name: UInt32(start), nameLength: UInt32(name.utf8.count),
        value: UInt32(start + name.utf8.count + 2), valueLength: UInt32(value.utf8.count)))
  }

  /// Removes every field of a name and adds one at the end.
  public mutating func set(_ name: String, to value: String) {
    remove(name)
    append(name, value)
  }

  /// Removes every field of a name.
  public mutating func remove(_ name: String) {
    guard contains(name) else { return }
    let old = self
    self = Headers()
    block.reserveCapacity(old.block.count - name.utf8.count - 4)
    fields.reserveCapacity(old.fields.count - 1)
    let bytes = old.block.span
    for (index, field) in old.fields.enumerated()
    where !bytes.equals(name.utf8.span, in: field.nameRange) {
      append(line: index, of: old)
    }
  }

  /// Removes every field.
  public mutating func removeAll() {
    block.removeAll(keepingCapacity: true)
    fields.removeAll(keepingCapacity: true)
    isWritable = true
  }

  private mutating func append(line index: Int, of other: Headers) {
    let line = other.lineRange(at: index)
    let shift = UInt32(block.count) &- UInt32(line.lowerBound)
    var field = other.fields[index]
    field.name &+= shift
    field.value &+= shift
    block.append(copying: other.block.span.extracting(line))
    fields.append(field)
    isWritable =
      isWritable
      && (other.isWritable
        || Headers.isWritable(name: other.name(at: index), value: other.value(at: index)))
  }

  /// Whether a field can be written: a token as its name, no control characters in its value.
  static func isWritable(name: String, value: String) -> Bool {
    let name = name.utf8.span
    if name.isEmpty { return false }  // RFC 9110 §5.1: field-name = token.
    for index in 0..<name.count where !ByteClass.isToken(name[index]) { return false }
    let value = value.utf8.span
    var start = 0
    while let index = value.firstControl(from: start) {
      // RFC 9110 §5.5: CR, LF and NUL are how a second field or response is smuggled in.
      if value[index] != Byte.tab { return false }
      start = index + 1
    }
    return true
  }
}

extension Headers {
  func name(at index: Int) -> String { block.span.text(in: fields[index].nameRange) }

  func value(at index: Int) -> String { block.span.text(in: fields[index].valueRange) }

  /// The bytes of a field's line with its CRLF.
  func lineRange(at index: Int) -> Range<Int> {
    let end = index + 1 < fields.count ? Int(fields[index + 1].name) : block.count
    return Int(fields[index].name)..<end
  }

  func firstIndex(of name: Span<UInt8>, from start: Int = 0) -> Int? {
    let bytes = block.span
    var index = start
    while index < fields.count {
      if bytes.equals(name, in: fields[index].nameRange) { return index }
      index &+= 1
    }
    return nil
  }
}

extension Headers: Equatable {
  /// Whether both mean the same: the same names without case, each with the same values in order.
  ///
  /// The order of different names does not matter (RFC 9110 §5.3).
  public static func == (left: Headers, right: Headers) -> Bool {
    guard left.count == right.count else { return false }
    return left.fields.indices.allSatisfy { index in
      let name = left.name(at: index)
      return left.values(of: name) == right.values(of: name)
    }
  }
}

extension Headers: ExpressibleByDictionaryLiteral {
  /// Creates the fields of a literal, in its order; a repeated name is repeated.
  public init(dictionaryLiteral elements: (String, String)...) {
    self.init()
    fields.reserveCapacity(elements.count)
    block.reserveCapacity(
      elements.reduce(0) { $0 + $1.0.utf8.count + $1.1.utf8.count + 4 })
    for (name, value) in elements { append(name, value) }
  }
}

extension Headers: Sequence {
  /// Goes through the fields in order.
  public struct Iterator: IteratorProtocol {
    private let headers: Headers
    private var index = 0

    init(_ headers: Headers) { self.headers = headers }

    /// The next field, or nil after the last.
    public mutating func next() -> (name: String, value: String)? {
      guard index < headers.count else { return nil }
      defer { index += 1 }
      return (headers.name(at: index), headers.value(at: index))
    }
  }

  /// An iterator over the fields, names as they were written.
  public func makeIterator() -> Iterator { Iterator(self) }
}
