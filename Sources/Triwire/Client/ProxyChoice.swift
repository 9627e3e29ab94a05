/// Which HTTP proxy a client goes through.
///
/// All transports go through a tunnel that the proxy opens with CONNECT (RFC 9110 §9.3.6), to http
/// and ws URLs as to https and wss ones; TLS is inside the tunnel, so that the proxy sees a host and
/// a port. A proxy is written as `http://HOST:PORT`, or `http://NAME:PASSWORD@HOST:PORT` with name
/// and password percent-encoded (RFC 7617); `http://` may be left out, and the port is 80 then
/// unless it is given. Only such proxies are spoken to: `https` and `socks5` ones are refused.
public enum ProxyChoice: Sendable, Hashable {
  /// The one that the environment names, if it names one for the URL.
  ///
  /// For https and wss URLs that is the first that is set and not empty of `https_proxy`,
  /// `HTTPS_PROXY`, `all_proxy` and `ALL_PROXY`; for http and ws URLs of `http_proxy`, `all_proxy`
  /// and `ALL_PROXY`. `HTTP_PROXY` is not read: a CGI program gets it from whoever sends a request
  /// with a field called Proxy.
  ///
  /// `no_proxy`, or `NO_PROXY` when that is not set or empty, lists what is reached without a
  /// proxy, parted by commas; spaces do not count. Each member is
  /// - a name: that host and all below it, so that `example.com` is `www.example.com` as well and
  ///   `badexample.com` is not; a dot, or `*.`, before it changes nothing, nor does one after it;
  /// - an IPv4 or IPv6 address, with or without brackets: a URL with that very address, however it
  ///   is spelled; names are not resolved to compare, and networks such as `10.0.0.0/8` match
  ///   nothing;
  /// - either of them with `:PORT` behind it (an IPv6 address needs brackets then): that port alone;
  /// - `*`: everything.
  ///
  /// Letters match without case. This host is nothing special: `localhost` and `127.0.0.1` go
  /// through the proxy unless they are listed.
  case environment
  /// None.
  case none
  /// This one, for every URL.
  case url(String)
}
