/// What both sides of a WebSocket agreed on for permessage-deflate (RFC 7692 §7.1).
package struct DeflateAgreement: Sendable, Equatable {
  package var serverNoContextTakeover = false
  package var clientNoContextTakeover = false
  package var serverWindowBits = 15
  package var clientWindowBits = 15

  package init() {}

  package static let name = "permessage-deflate"

  /// The server's choice among a client's offers, in the client's order of preference, or nil.
  ///
  /// - Parameters:
  ///   - offers: The values of `Sec-WebSocket-Extensions` in the request.
  ///   - options: What the server is willing to do.
  /// - Returns: The agreement and the value that tells the client of it; nil when no offer fits.
  package static func answer(
    _ offers: [String], _ options: DeflateOptions
  ) -> (agreement: DeflateAgreement, header: String)? {
    for offer in offers.flatMap(ExtensionOffer.parse) where offer.name == name {
      if let answer = answer(offer, options) { return answer }
    }
    return nil
  }

  private static func answer(
    _ offer: ExtensionOffer, _ options: DeflateOptions
  ) -> (agreement: DeflateAgreement, header: String)? {
    guard let asked = Parameters(offer, isOffer: true) else { return nil }
    var agreement = DeflateAgreement()
    var header = name
    if asked.serverNoContextTakeover || !options.contextTakeover {
      agreement.serverNoContextTakeover = true
      header += "; server_no_context_takeover"
    }
    if asked.clientNoContextTakeover || !options.peerContextTakeover {
      agreement.clientNoContextTakeover = true
      header += "; client_no_context_takeover"
    }
    agreement.serverWindowBits = min(asked.serverWindowBits ?? 15, options.windowBits)
    // zlib cannot compress with a window of 8 bits: such an offer is declined rather than broken.
    guard agreement.serverWindowBits >= 9 else { return nil }
    if asked.serverWindowBits != nil || agreement.serverWindowBits < 15 {
      header += "; server_max_window_bits=\(agreement.serverWindowBits)"
    }
    // §7.1.2.2: only a client that offers the parameter may be bound by it.
    if asked.allowsClientWindowBits {
      agreement.clientWindowBits = min(asked.clientWindowBits ?? 15, options.peerWindowBits)
      if agreement.clientWindowBits < 15 {
        header += "; client_max_window_bits=\(agreement.clientWindowBits)"
      }
    }
    return (agreement, header)
  }

  /// The value of `Sec-WebSocket-Extensions` that a client offers.
  package static func offer(_ options: DeflateOptions) -> String {
    var offer = name + "; client_max_window_bits"
    if options.windowBits < 15 { offer += "=\(options.windowBits)" }
    if options.peerWindowBits < 15 { offer += "; server_max_window_bits=\(options.peerWindowBits)" }
    if !options.contextTakeover { offer += "; client_no_context_takeover" }
    if !options.peerContextTakeover { offer += "; server_no_context_takeover" }
    return offer
  }

  /// What a server's answer to `offer(options)` means.
  ///
  /// - Returns: nil when the server chose nothing.
  /// - Throws: The text of what the answer breaks; the client fails the connection (RFC 6455 §9.1).
  package static func accepted(
    _ answers: [String], _ options: DeflateOptions
  ) throws(ExtensionViolation) -> DeflateAgreement? {
    let extensions = answers.flatMap(ExtensionOffer.parse)
    guard let first = extensions.first else {
      if answers.isEmpty { return nil }
      throw ExtensionViolation("the server's extensions are malformed")
    }
    guard extensions.count == 1, first.name == name else {
      throw ExtensionViolation("the server uses an extension that was not offered")
    }
    guard let said = Parameters(first, isOffer: false) else {
      throw ExtensionViolation("the server's parameters of permessage-deflate are malformed")
    }
    var agreement = DeflateAgreement()
    agreement.serverNoContextTakeover = said.serverNoContextTakeover
    agreement.clientNoContextTakeover = said.clientNoContextTakeover || !options.contextTakeover
    agreement.serverWindowBits = said.serverWindowBits ?? 15
    agreement.clientWindowBits = min(said.clientWindowBits ?? 15, options.windowBits)
    // §7.1.1.1, §7.1.2.1: what was asked of the server has to be granted.
    if !options.peerContextTakeover, !said.serverNoContextTakeover {
      throw ExtensionViolation("the server did not grant server_no_context_takeover")
    }
    if agreement.serverWindowBits > options.peerWindowBits {
      throw ExtensionViolation(
        "the server's window has \(agreement.serverWindowBits) bits, "
          + "limit is \(options.peerWindowBits): raise deflate.peerWindowBits")
    }
    return agreement
  }
}

/// A server's answer that does not fit what the client offered.
package struct ExtensionViolation: Error, Equatable {
  package let message: String

  package init(_ message: String) { self.message = message }
}

/// One member of `Sec-WebSocket-Extensions` (RFC 6455 §9.1).
struct ExtensionOffer: Equatable {
  let name: String
  let parameters: [(name: String, value: String?)]

  static func == (left: ExtensionOffer, right: ExtensionOffer) -> Bool {
    left.name == right.name && left.parameters.count == right.parameters.count
      && zip(left.parameters, right.parameters).allSatisfy { $0 == $1 }
  }

  /// The members of one header value; those that are malformed are left out.
  static func parse(_ value: String) -> [ExtensionOffer] {
    split(value, at: ",").compactMap { member in
      let parts = split(member, at: ";")
      guard let name = parts.first.map(trim), isToken(name) else { return nil }
      var parameters: [(String, String?)] = []
      for part in parts.dropFirst() {
        guard let parameter = parameter(trim(part)) else { return nil }
        parameters.append(parameter)
      }
      return ExtensionOffer(name: name, parameters: parameters)
    }
  }

  private static func parameter(_ text: String) -> (String, String?)? {
    guard let equals = text.firstIndex(of: "=") else {
      return isToken(text) ? (text.lowercased(), nil) : nil
    }
    let name = trim(String(text[..<equals]))
    var value = trim(String(text[text.index(after: equals)...]))
    if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") {
      value = String(value.dropFirst().dropLast())
    }
    // §9.1: what stands in quotes has to be a token without them.
    guard isToken(name), isToken(value) else { return nil }
    return (name.lowercased(), value)
  }

  /// Splits outside of quotes.
  private static func split(_ text: String, at separator: Character) -> [String] {
    var parts = [""]
    var isQuoted = false
    for character in text {
      if character == "\"" { isQuoted.toggle() }
      if character == separator, !isQuoted {
        parts.append("")
      } else {
        parts[parts.count - 1].append(character)
      }
    }
    return parts
  }

  private static func trim(_ text: String) -> String {
    let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
    return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }

  private static func isToken(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy(ByteClass.isToken)
  }
}

extension DeflateAgreement {
  /// The parameters of RFC 7692 §7.1 as one side wrote them.
  private struct Parameters {
    var serverNoContextTakeover = false
    var clientNoContextTakeover = false
    var serverWindowBits: Int?
    var clientWindowBits: Int?
    /// Whether the client lets the server choose the window of its messages.
    var allowsClientWindowBits = false

    /// nil when a parameter is unknown, doubled or has a bad value (§7.1: decline, or fail).
    init?(_ offer: ExtensionOffer, isOffer: Bool) {
      var seen: Set<String> = []
      for (name, value) in offer.parameters {
        guard seen.insert(name).inserted else { return nil }
        switch (name, value) {
        case ("server_no_context_takeover", nil): serverNoContextTakeover = true
        case ("client_no_context_takeover", nil): clientNoContextTakeover = true
        case ("server_max_window_bits", let value?):
          guard let bits = Self.bits(value) else { return nil }
          serverWindowBits = bits
        case ("client_max_window_bits", nil) where isOffer: allowsClientWindowBits = true
        case ("client_max_window_bits", let value?):
          guard let bits = Self.bits(value) else { return nil }
          clientWindowBits = bits
          allowsClientWindowBits = true
        default: return nil
        }
      }
    }

    /// §7.1.2: a decimal from 8 to 15 without leading zeroes.
    private static func bits(_ text: String) -> Int? {
      guard let bits = Int(text), 8...15 ~= bits, text == "\(bits)" else { return nil }
      return bits
    }
  }
}
