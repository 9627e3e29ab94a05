import Testing
import TriwireCodec

@Suite("HTTP server codec")
struct HTTPServerCodecTests {
  @Test("A GET is a head and an end (RFC 9112 §3)")
  func get() throws {
    let input = Array("GET /healthz?a=b HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\n\r\n".utf8)
    var codec = HTTPServerCodec()
    var offset = 0
    let head = RequestHead(
      target: "/healthz?a=b", headers: ["host": "a:80", "accept": "*/*"])
    #expect(try codec.nextEvent(in: input.span, at: &offset) == .head(head, RequestFraming()))
    #expect(try codec.nextEvent(in: input.span, at: &offset) == .end(trailers: nil))
    #expect(offset == input.count)
  }
  @Test("A response is written with its length (RFC 9112 §6.2)")
  func respond() throws {
    let head = ResponseHead(headers: ["content-type": "text/plain"])
    let framing = try ResponseFraming(head, body: .bytes(3), to: .get)
    let bytes = try written { (output) throws(HTTPHeadError) in
      try HTTPResponseWriter.write(
        head, framing: framing, date: HTTPDate.bytes(unixSeconds: 784_111_777), into: &output)
    }
    #expect(
      text(bytes) == "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"
        + "date: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 3\r\n\r\n")
  }
}
