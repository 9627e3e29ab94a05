/// Gathers what is wrong with a file while the rest of it is still being read.
final class ProblemList {
  private(set) var problems: [ScenarioError.Problem] = []

  func add(line: Int?, path: String, _ message: String) {
    problems.append(.init(line: line, path: path, message: message))
  }
}

/// A value in a scenario file with the keys that lead to it.
///
/// Each reading method returns what it read, or notes what is wrong and returns `nil`.
struct Place {
  let node: JSONNode
  let path: String
  let problems: ProblemList

  /// Notes what is wrong here and what to write instead.
  func refuse(_ message: String) {
    problems.add(line: node.line, path: path, message)
  }

  func text(like example: String) -> String? {
    guard case .string(let text) = node.value else { return refused("a text like \(example)") }
    return text
  }

  func truth() -> Bool? {
    guard case .bool(let truth) = node.value else { return refused("true or false") }
    return truth
  }

  func whole(from low: Int, to high: Int) -> Int? {
    guard case .number(let number) = node.value, let whole = Int(exactly: number) else {
      return refused("a whole number from \(grouped(low)) to \(grouped(high))")
    }
    guard (low...high).contains(whole) else {
      refuse("\(grouped(whole)) is out of range, write \(grouped(low)) to \(grouped(high))")
      return nil
    }
    return whole
  }

  func number(above low: Double, to high: Double) -> Double? {
    let wanted = "a number above \(plain(low)), up to \(plain(high))"
    guard case .number(let number) = node.value else { return refused(wanted) }
    guard number > low, number <= high else {
      refuse("\(plain(number)) is out of range, write \(wanted)")
      return nil
    }
    return number
  }

  func quantity<Q: Quantity>(like example: String) -> Q? {
    guard case .string(let text) = node.value else {
      return refused("a text with a unit like \"\(example)\"")
    }
    do {
      return try Q(parsing: text)
    } catch {
      refuse(error.description)
      return nil
    }
  }

  func quantity<Q: Quantity & Comparable>(like example: String, from low: Q, to high: Q) -> Q? {
    guard let value: Q = quantity(like: example) else { return nil }
    guard value >= low, value <= high else {
      refuse("\(value) is out of range, write \"\(low)\" to \"\(high)\"")
      return nil
    }
    return value
  }

  func choice<C: CaseIterable & RawRepresentable<String>>() -> C? {
    let known = C.allCases.map(\.rawValue)
    let all = known.map { "\"\($0)\"" }.joined(separator: ", ")
    guard case .string(let text) = node.value else { return refused("one of \(all)") }
    guard let value = C(rawValue: text) else {
      let hint = Suggestion.phrase(for: text, among: known, quoted: "\"")
      refuse("\"\(text)\" is not one of \(all)\(hint)")
      return nil
    }
    return value
  }

  /// The same, with the words to write instead of true and of false.
  func choice<C: CaseIterable & RawRepresentable<String>>(
    insteadOfTrue on: C, insteadOfFalse off: C
  ) -> C? {
    guard case .bool(let truth) = node.value else { return choice() }
    refuse("this is \(truth), write \"\(truth ? on.rawValue : off.rawValue)\"")
    return nil
  }

  /// The elements of a list, of those that could be read.
  func list<T>(of what: String, _ read: (Place) -> T?) -> [T]? {
    guard case .array(let nodes) = node.value else { return refused("a list of \(what)") }
    guard !nodes.isEmpty else {
      refuse("the list is empty, write at least one of \(what)")
      return nil
    }
    let elements = nodes.enumerated().map { index, node in
      read(Place(node: node, path: "\(path)[\(index)]", problems: problems))
    }
    return elements.contains { $0 == nil } ? nil : elements.compactMap { $0 }
  }

  /// The members of an object, after refusing keys that are not known or stand there twice.
  func fields(of object: SchemaObject) -> Fields? {
    let known = object.names
    guard case .object(let members) = node.value else { return refused("an object { … }") }
    var places: [String: Place] = [:]
    for member in members {
      let inner = path.isEmpty ? member.key : "\(path).\(member.key)"
      if !known.contains(member.key) {
        let hint = Suggestion.phrase(for: member.key, among: known, quoted: "\"")
        let all = hint.isEmpty ? ", known are \(known.joined(separator: ", "))" : hint
        problems.add(line: member.line, path: inner, "this key is not known\(all)")
      } else if places[member.key] != nil {
        problems.add(line: member.line, path: inner, "this key stands here twice, remove one")
      } else {
        places[member.key] = Place(node: member.node, path: inner, problems: problems)
      }
    }
    return Fields(place: self, places: places)
  }

  private func refused<T>(_ wanted: String) -> T? {
    refuse("this is \(node.kind), write \(wanted)")
    return nil
  }
}

/// The members of an object in a scenario file, by key.
struct Fields {
  let place: Place
  let places: [String: Place]

  subscript(key: String) -> Place? { places[key] }

  /// The member with this key; a missing one is noted with an example of what to write.
  func required(_ key: String, like example: String) -> Place? {
    guard let found = places[key] else {
      place.refuse("\"\(key)\" is missing, write \"\(key)\": \(example)")
      return nil
    }
    return found
  }

  /// What `read` makes of the member, or the default when the file leaves it out.
  func value<T>(_ key: String, default standard: T, _ read: (Place) -> T?) -> T? {
    guard let place = places[key] else { return standard }
    return read(place)
  }
}

/// A number with its thousands set apart: `1,048,576`.
func grouped(_ number: some BinaryInteger) -> String {
  let digits = String(number.magnitude)
  var text = ""
  for (index, digit) in digits.enumerated() {
    if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
    text.append(digit)
  }
  return number < 0 ? "-\(text)" : text
}
