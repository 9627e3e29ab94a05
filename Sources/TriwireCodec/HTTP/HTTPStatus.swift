/// The status of a response: its code and a phrase for people (RFC 9110 §15).
///
/// Two are equal when their codes are; the phrase means nothing to a program (RFC 9112 §4).
public struct HTTPStatus: Hashable, Sendable, CustomStringConvertible {
  /// The code, three digits.
  public var code: Int
  /// The phrase that follows the code; may be empty.
  public var reason: String

  /// Creates a status, with the standard phrase of its code unless another is given.
  public init(_ code: Int, reason: String? = nil) {
    self.code = code
    self.reason = reason ?? HTTPStatus.standardReason(code)
  }

  /// Whether the response is an interim one, before the final one (RFC 9110 §15.2).
  public var isInformational: Bool { code < 200 }

  /// The code and the phrase.
  public var description: String { reason.isEmpty ? "\(code)" : "\(code) \(reason)" }

  /// Whether the codes are equal.
  public static func == (left: HTTPStatus, right: HTTPStatus) -> Bool { left.code == right.code }

  /// Hashes the code.
  public func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

extension HTTPStatus {
  /// 100 Continue.
  public static var `continue`: HTTPStatus { HTTPStatus(100, reason: "Continue") }
  /// 101 Switching Protocols.
  public static var switchingProtocols: HTTPStatus {
    HTTPStatus(101, reason: "Switching Protocols")
  }
  /// 200 OK.
  public static var ok: HTTPStatus { HTTPStatus(200, reason: "OK") }
  /// 201 Created.
  public static var created: HTTPStatus { HTTPStatus(201, reason: "Created") }
  /// 202 Accepted.
  public static var accepted: HTTPStatus { HTTPStatus(202, reason: "Accepted") }
  /// 204 No Content.
  public static var noContent: HTTPStatus { HTTPStatus(204, reason: "No Content") }
  /// 206 Partial Content.
  public static var partialContent: HTTPStatus { HTTPStatus(206, reason: "Partial Content") }
  /// 301 Moved Permanently.
  public static var movedPermanently: HTTPStatus { HTTPStatus(301, reason: "Moved Permanently") }
  /// 302 Found.
  public static var found: HTTPStatus { HTTPStatus(302, reason: "Found") }
  /// 303 See Other.
  public static var seeOther: HTTPStatus { HTTPStatus(303, reason: "See Other") }
  /// 304 Not Modified.
  public static var notModified: HTTPStatus { HTTPStatus(304, reason: "Not Modified") }
  /// 307 Temporary Redirect.
  public static var temporaryRedirect: HTTPStatus { HTTPStatus(307, reason: "Temporary Redirect") }
  /// 308 Permanent Redirect.
  public static var permanentRedirect: HTTPStatus { HTTPStatus(308, reason: "Permanent Redirect") }
  /// 400 Bad Request.
  public static var badRequest: HTTPStatus { HTTPStatus(400, reason: "Bad Request") }
  /// 401 Unauthorized.
  public static var unauthorized: HTTPStatus { HTTPStatus(401, reason: "Unauthorized") }
  /// 403 Forbidden.
  public static var forbidden: HTTPStatus { HTTPStatus(403, reason: "Forbidden") }
  /// 404 Not Found.
  public static var notFound: HTTPStatus { HTTPStatus(404, reason: "Not Found") }
  /// 405 Method Not Allowed.
  public static var methodNotAllowed: HTTPStatus { HTTPStatus(405, reason: "Method Not Allowed") }
  /// 406 Not Acceptable.
  public static var notAcceptable: HTTPStatus { HTTPStatus(406, reason: "Not Acceptable") }
  /// 408 Request Timeout.
  public static var requestTimeout: HTTPStatus { HTTPStatus(408, reason: "Request Timeout") }
  /// 409 Conflict.
  public static var conflict: HTTPStatus { HTTPStatus(409, reason: "Conflict") }
  /// 410 Gone.
  public static var gone: HTTPStatus { HTTPStatus(410, reason: "Gone") }
  /// 411 Length Required.
  public static var lengthRequired: HTTPStatus { HTTPStatus(411, reason: "Length Required") }
  /// 412 Precondition Failed.
  public static var preconditionFailed: HTTPStatus {
    HTTPStatus(412, reason: "Precondition Failed")
  }
  /// 413 Content Too Large.
  public static var contentTooLarge: HTTPStatus { HTTPStatus(413, reason: "Content Too Large") }
  /// 414 URI Too Long.
  public static var uriTooLong: HTTPStatus { HTTPStatus(414, reason: "URI Too Long") }
  /// 415 Unsupported Media Type.
  public static var unsupportedMediaType: HTTPStatus {
    HTTPStatus(415, reason: "Unsupported Media Type")
  }
  /// 416 Range Not Satisfiable.
  public static var rangeNotSatisfiable: HTTPStatus {
    HTTPStatus(416, reason: "Range Not Satisfiable")
  }
  /// 417 Expectation Failed.
  public static var expectationFailed: HTTPStatus { HTTPStatus(417, reason: "Expectation Failed") }
  /// 421 Misdirected Request.
  public static var misdirectedRequest: HTTPStatus {
    HTTPStatus(421, reason: "Misdirected Request")
  }
  /// 422 Unprocessable Content.
  public static var unprocessableContent: HTTPStatus {
    HTTPStatus(422, reason: "Unprocessable Content")
  }
  /// 426 Upgrade Required.
  public static var upgradeRequired: HTTPStatus { HTTPStatus(426, reason: "Upgrade Required") }
  /// 428 Precondition Required.
  public static var preconditionRequired: HTTPStatus {
    HTTPStatus(428, reason: "Precondition Required")
  }
  /// 429 Too Many Requests.
  public static var tooManyRequests: HTTPStatus { HTTPStatus(429, reason: "Too Many Requests") }
  /// 431 Request Header Fields Too Large.
  public static var headerFieldsTooLarge: HTTPStatus {
    HTTPStatus(431, reason: "Request Header Fields Too Large")
  }
  /// 500 Internal Server Error.
  public static var internalServerError: HTTPStatus {
    HTTPStatus(500, reason: "Internal Server Error")
  }
  /// 501 Not Implemented.
  public static var notImplemented: HTTPStatus { HTTPStatus(501, reason: "Not Implemented") }
  /// 502 Bad Gateway.
  public static var badGateway: HTTPStatus { HTTPStatus(502, reason: "Bad Gateway") }
  /// 503 Service Unavailable.
  public static var serviceUnavailable: HTTPStatus {
    HTTPStatus(503, reason: "Service Unavailable")
  }
  /// 504 Gateway Timeout.
  public static var gatewayTimeout: HTTPStatus { HTTPStatus(504, reason: "Gateway Timeout") }
  /// 505 HTTP Version Not Supported.
  public static var versionNotSupported: HTTPStatus {
    HTTPStatus(505, reason: "HTTP Version Not Supported")
  }

  /// The phrase that goes with a code (RFC 9110 §15, RFC 6585), or an empty one.
  static func standardReason(_ code: Int) -> String {
    switch code {
    case 100: "Continue"
    case 101: "Switching Protocols"
    case 200: "OK"
    case 201: "Created"
    case 202: "Accepted"
    case 204: "No Content"
    case 206: "Partial Content"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 303: "See Other"
    case 304: "Not Modified"
    case 307: "Temporary Redirect"
    case 308: "Permanent Redirect"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 405: "Method Not Allowed"
    case 406: "Not Acceptable"
    case 408: "Request Timeout"
    case 409: "Conflict"
    case 410: "Gone"
    case 411: "Length Required"
    case 412: "Precondition Failed"
    case 413: "Content Too Large"
    case 414: "URI Too Long"
    case 415: "Unsupported Media Type"
    case 416: "Range Not Satisfiable"
    case 417: "Expectation Failed"
    case 421: "Misdirected Request"
    case 422: "Unprocessable Content"
    case 426: "Upgrade Required"
    case 428: "Precondition Required"
    case 429: "Too Many Requests"
    case 431: "Request Header Fields Too Large"
    case 500: "Internal Server Error"
    case 501: "Not Implemented"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    case 504: "Gateway Timeout"
    case 505: "HTTP Version Not Supported"
    default: ""
    }
  }
}
