"""HTTP by hand, for what no client library would send or show."""


class RawConnection:
    """A TCP connection with responses read off it one by one."""

    def __init__(self, server, seconds=10):
        self.socket = server.connect(seconds)
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.reader.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def response(self, method="GET"):
        """The next response: status, header fields in lower case, body. None at the end."""
        line = self.reader.readline()
        if not line:
            return None
        status = int(line.split()[1])
        headers = {}
        while (line := self.reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self._body(method, status, headers)

    def _body(self, method, status, headers):
        if method == "HEAD" or status < 200 or status in (204, 304):
            return b""
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while size := int(self.reader.readline(), 16):
                body += self.reader.read(size)
                self.reader.readline()
            self.reader.readline()
            return body
        if "content-length" in headers:
            return self.reader.read(int(headers["content-length"]))
        return self.reader.read()

    def rest(self):
        """All that comes until the server ends the connection."""
        return self.reader.read()


def chunked(body, size):
    """A body in chunks of `size` bytes."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    coded = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return coded + b"0\r\n\r\n"
