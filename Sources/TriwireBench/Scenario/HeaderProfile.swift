import Triwire

/// The header fields that measured clients send besides those a transport needs.
///
/// What heads cost is paid once by WebSocket and event streams, and with each request by polls and
/// POSTs. A field that the transport sends itself is not sent twice, and a poll's `Accept`, by which
/// the server chooses the form of its answer, is the transport's alone. Resumable sessions name no
/// origin.
public enum HeaderProfile: String, Sendable, CaseIterable, Codable {
  /// None.
  case minimal
  /// What Chromium 156 sends with `new WebSocket`, `new EventSource` and `fetch` to a page's own
  /// origin, captured by Tests/Clients/browser_headers.py.
  case browser2026
  /// `browser2026`, with a cookie of 1,024 bytes.
  case browserWithCookie = "browser+cookie1k"
  /// What Firefox 3.5 sent in Lubbers and Greco's "A Quantum Leap in Scalability for the Web" (2010),
  /// whose request and answer are 871 characters.
  case kaazing2010

  /// What a request is for, as far as browsers make a difference.
  enum Purpose {
    case webSocket, eventStream, poll, post

    init(_ method: HTTPMethod, _ needed: Headers) {
      self =
        if needed.contains("upgrade") {
          .webSocket
        } else if needed["accept"] == "text/event-stream" {
          .eventStream
        } else {
          method == .get ? .poll : .post
        }
    }
  }

  /// The fields of a request to an origin such as `http://127.0.0.1:8080`.
  func fields(for purpose: Purpose, at origin: String) -> [(String, String)] {
    switch self {
    case .minimal: []
    case .browser2026: Self.chromium(purpose, origin)
    case .browserWithCookie:
      Self.chromium(purpose, origin) + [("Cookie", Self.cookie(of: 1024))]
    case .kaazing2010: Self.firefox
    }
  }

  private static func chromium(_ purpose: Purpose, _ origin: String) -> [(String, String)] {
    let agent = (
      "User-Agent",
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "Chrome/156.0.0.0 Safari/537.36"
    )
    let fresh = [("Pragma", "no-cache"), ("Cache-Control", "no-cache")]
    let abilities = [
      ("Accept-Encoding", "gzip, deflate, br, zstd"), ("Accept-Language", "en-US,en;q=0.9"),
    ]
    let own = [("Origin", origin)]
    if purpose == .webSocket {
      return fresh + [agent] + own + abilities
        + [("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")]
    }
    let accept = [("Accept", purpose == .eventStream ? "text/event-stream" : "*/*")]
    return [("Connection", "keep-alive")] + (purpose == .post ? [] : fresh)
      + [("sec-ch-ua-platform", "\"Linux\""), agent]
      + [("sec-ch-ua", "\"Not:A-Brand\";v=\"8\", \"Chromium\";v=\"156\"")]
      + [("sec-ch-ua-mobile", "?0")] + accept + (purpose == .post ? own : [])
      + [
        ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty"),
      ]
      + [("Referer", "\(origin)/")] + abilities
  }

  private static let firefox = [
    (
      "User-Agent",
      "Mozilla/5.0 (Windows; U; Windows NT 5.1; en-US; rv:1.9.1.5) Gecko/20091102 Firefox/3.5.5"
    ),
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Language", "en-us"), ("Accept-Encoding", "gzip,deflate"),
    ("Accept-Charset", "ISO-8859-1,utf-8;q=0.7,*;q=0.7"), ("Keep-Alive", "300"),
    ("Connection", "keep-alive"), ("Referer", "http://www.example.com/PollingStock/"),
    (
      "Cookie",
      [
        "Constant", "ProtectedConstant", "Property", "ProtectedProperty", "Method",
        "ProtectedMethod", "Event", "Style", "Effect",
      ].map { "showInherited\($0)=false" }.joined(separator: "; ")
    ),
  ]

  /// A cookie whose name and value are so many bytes.
  private static func cookie(of size: Int) -> String {
    let name = "session="
    let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
    return name
      + String((0..<size - name.count).map { letters[$0 * 7 % letters.count] })
  }
}

extension TriwireClient.Configuration {
  /// Has each request carry the fields of a profile, as far as it does not have them already.
  mutating func send(_ profile: HeaderProfile, to origin: String) {
    guard profile != .minimal else { return }
    fieldsOfRequest = { method, needed in
      let purpose = HeaderProfile.Purpose(method, needed)
      // Which form a poll's answer has goes by this field, so that is the transport's alone.
      let isOwn = { (name: String) in purpose == .poll && name == "Accept" }
      var fields = Headers()
      for (name, value) in profile.fields(for: purpose, at: origin)
      where !needed.contains(name) && !isOwn(name) { fields.append(name, value) }
      return fields
    }
  }
}
