import Testing
import Triwire

@Suite("Client: the proxy that the environment names")
struct ProxyEnvironmentTests {
  @Test("Which variable counts depends on the URL, on letters, and on what is set")
  func variables() {
    let all = [
      "http_proxy": "a", "HTTP_PROXY": "b", "https_proxy": "c", "HTTPS_PROXY": "d",
      "all_proxy": "e", "ALL_PROXY": "f",
    ]
    func proxy(_ url: String, without missing: String..., empty: String? = nil) -> String? {
      var some = all.filter { !missing.contains($0.key) }
      if let empty { some[empty] = "" }
      return ProxyEnvironment(some).proxy(for: url)?.text
    }
    #expect(proxy("http://h/") == "a" && proxy("ws://h/") == "a")
    #expect(proxy("https://h/") == "c" && proxy("wss://h/") == "c")
    // Whoever sends a request with a field called Proxy sets HTTP_PROXY of a CGI program.
    #expect(proxy("http://h/", without: "http_proxy") == "e")
    #expect(proxy("https://h/", without: "https_proxy") == "d")
    #expect(proxy("https://h/", empty: "https_proxy") == "d")
    #expect(proxy("wss://h/", without: "https_proxy", "HTTPS_PROXY", "all_proxy") == "f")
    #expect(ProxyEnvironment(["HTTP_PROXY": "b"]).proxy(for: "http://h/") == nil)
    #expect(ProxyEnvironment([:]).proxy(for: "https://h/") == nil)
    #expect(ProxyEnvironment(all).proxy(for: "https://h/")?.variable == "https_proxy")
  }

  @Test(
    "no_proxy lists names with all below them, addresses, ports, and everything",
    arguments: [
      ("example.com", ["example.com", "www.example.com", "EXAMPLE.com.", "a.b.example.com:99"]),
      (".example.com", ["example.com", "www.example.com"]),
      ("*.example.com", ["example.com", "www.example.com"]),
      ("Example.COM.", ["example.com", "www.example.com"]),
      (" other.org , example.com:8080 ", ["other.org", "example.com:8080"]),
      ("127.0.0.1", ["127.0.0.1", "127.0.0.1:99"]), ("[::1]:80", ["[::1]"]),
      ("::1", ["[::1]:99", "[0:0:0:0:0:0:0:1]"]), ("[::1]", ["[::1]:99"]),
      ("127.0.0.1:99", ["127.0.0.1:99"]), ("*", ["localhost", "[::1]", "example.com"]),
      ("localhost", ["localhost"]),
    ])
  func exempt(list: String, hosts: [String]) {
    for name in ["no_proxy", "NO_PROXY"] {
      let environment = ProxyEnvironment(["all_proxy": "p", name: list])
      for host in hosts { #expect(environment.proxy(for: "http://\(host)/") == nil, "\(host)") }
    }
  }

  @Test(
    "What no_proxy does not list goes through the proxy, this host as well",
    arguments: [
      ("", ["localhost", "127.0.0.1", "[::1]"]),
      ("example.com", ["badexample.com", "example.com.org", "com", "localhost"]),
      ("example.com:8080", ["example.com", "example.com:8081"]),
      ("0.0.1", ["127.0.0.1"]), ("127.0.0.0/8", ["127.0.0.1"]), ("127.0.0.1", ["localhost"]),
      (".", ["example.com"]), (",,", ["example.com"]), ("example.com:port", ["example.com"]),
      ("[::1]:81", ["[::1]"]), ("*.*", ["example.com"]),
    ])
  func notExempt(list: String, hosts: [String]) {
    let environment = ProxyEnvironment(["all_proxy": "p", "no_proxy": list])
    for host in hosts { #expect(environment.proxy(for: "ws://\(host)/")?.text == "p", "\(host)") }
  }

  @Test("The lower-case no_proxy goes before the upper-case one, unless it is empty")
  func precedence() {
    var variables = ["all_proxy": "p", "no_proxy": "a", "NO_PROXY": "b"]
    #expect(ProxyEnvironment(variables).proxy(for: "http://b/") != nil)
    variables["no_proxy"] = ""
    #expect(ProxyEnvironment(variables).proxy(for: "http://b/") == nil)
  }
}
