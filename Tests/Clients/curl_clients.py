"""What people try first: curl."""

import hashlib
import json
import os
import random
import subprocess
import tempfile

from checks import check, expect, expect_equal, number_of

SECTION = "curl"
# --noproxy: the environment may name a proxy, which would be tested instead.
CURL = ["curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "20"]
EVENTS = ["--no-buffer", "-H", "Accept: text/event-stream"]


def curl(*arguments, wanted=0):
    """Runs curl; returns what it printed, and what it said on standard error."""
    done = subprocess.run(
        [*CURL, *arguments], capture_output=True, timeout=30, stdin=subprocess.DEVNULL)
    errors = done.stderr.decode(errors="replace")
    if wanted is not None:
        expect_equal(done.returncode, wanted, f"exit status of curl ({errors.strip()[-300:]})")
    return done.stdout, errors


class Following:
    """A curl that goes on printing, read line by line."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __enter__(self):
        self.process = subprocess.Popen(
            [*CURL, *self.arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def line(self):
        return self.process.stdout.readline().decode()

    def event(self):
        """The lines of the next event."""
        lines = []
        while (line := self.line()) not in ("\n", ""):
            lines.append(line.rstrip("\n"))
        return lines


@check(SECTION, "GET, HEAD, and five requests on one connection")
def basics(server):
    url = server.url("/healthz")
    expect_equal(curl(url)[0], b"ok\n", "GET")
    head = curl("--head", url)[0].decode()
    expect(head.startswith("HTTP/1.1 200 OK\r\n"), head)
    connects, _ = curl("-w", "%{num_connects} ", *[url] * 5)
    expect_equal(connects.replace(b"ok\n", b""), b"1 0 0 0 0 ", "connections per request")
    return "1 connection"


@check(SECTION, "HTTP/1.0, with and without keep-alive")
def http10(server):
    url = server.url("/reflect")
    body, told = curl("-0", "-v", "--data-binary", "old", url)
    expect_equal(body, b"old", "body")
    expect("< HTTP/1.1 200 OK" in told, told)
    connects, _ = curl(
        "-0", "-H", "Connection: keep-alive", "-w", "%{num_connects} ",
        *[server.url("/healthz")] * 3)
    expect_equal(connects.replace(b"ok\n", b""), b"1 0 0 ", "connections with keep-alive")
    return "answered; kept when asked to"


@check(SECTION, "POST of 1 MiB with Expect: 100-continue, and chunked")
def big_post(server):
    with tempfile.NamedTemporaryFile() as file:
        file.write(random.Random(10).randbytes(1 << 20))
        file.flush()
        wanted = hashlib.sha256(open(file.name, "rb").read()).hexdigest()
        body, told = curl(
            "-v", "-H", "Expect: 100-continue", "--data-binary", f"@{file.name}",
            server.url("/reflect"))
        expect_equal(hashlib.sha256(body).hexdigest(), wanted, "reflected body")
        expect("< HTTP/1.1 100 Continue" in told, "no 100 Continue")
        body, told = curl(
            "-v", "-H", "Transfer-Encoding: chunked", "-H", "Expect:", "-T", file.name,
            server.url("/reflect"))
        expect_equal(hashlib.sha256(body).hexdigest(), wanted, "reflected chunked body")
        expect("100 Continue" not in told, "100 Continue that nobody asked for")
    return "100 Continue when asked, the same bytes back"


@check(SECTION, "POST over the limit: 413 names the limit, whether curl waits or not")
def too_big(server):
    with tempfile.NamedTemporaryFile() as file:
        os.truncate(file.name, 32 << 20)
        for path in ("/reflect", "/topics/big"):
            for expectation in ("Expect: 100-continue", "Expect:"):
                for framing in ("X-Framing: length", "Transfer-Encoding: chunked"):
                    # Without the wait curl is still sending when the answer comes: it must get it.
                    out, _ = curl(
                        "-H", expectation, "-H", framing, "-w", "%{http_code}", "-X", "POST",
                        "-T", file.name, server.url(path))
                    expect_equal(out[-3:], b"413", f"status for {path}, {expectation} {framing}")
                    expect(b"limit is 1048576: raise limits.bodyBytes" in out, path, "text", out)
    # A message on its way up has its own limit, which is the one to raise.
    session = server.url("/echo?session=curl-too-big")
    curl(session + "&wait=0")
    for size, wanted in [(1 << 20, b"204"), ((1 << 20) + 1, b"413")]:
        with tempfile.NamedTemporaryFile() as file:
            os.truncate(file.name, size)
            out, _ = curl("-w", "%{http_code}", "--data-binary", f"@{file.name}", session)
            expect_equal(out[-3:], wanted, f"status of a message of {size} bytes")
    expect(b"limit is 1048576: raise limits.messageBytes" in out, "text", out)
    return out.decode().splitlines()[0]


@check(SECTION, "event stream: POST publishes, -N prints at once")
def event_stream(server):
    with Following(*EVENTS, server.url("/topics/curl")) as stream:
        expect_equal(stream.line(), ": \n", "first bytes")
        expect_equal(stream.line(), "\n", "end of the comment")
        for number in range(1, 51):
            out, _ = curl("--data-binary", f"line {number}\nsecond", server.url("/topics/curl"))
            position = out.decode().rstrip("\n")
            expect_equal(number_of(position), number, "position")
            expect_equal(
                stream.event(), [f"id: {position}", f"data: line {number}", "data: second"],
                "event")
    return "50 events, each read before the next was published"


@check(SECTION, "event stream over HTTP/1.0: no chunks")
def event_stream_http10(server):
    url = server.url("/topics/curl-old")
    with Following("-0", "--raw", *EVENTS, url) as stream:
        expect_equal(stream.line() + stream.line(), ": \n\n", "first bytes")
        out, _ = curl("--data-binary", "old", url)
        expect_equal(stream.event(), [f"id: {out.decode().strip()}", "data: old"], "event")
    return "1 event"


@check(SECTION, "echo over an event stream and POST, with ?session=NAME")
def echo(server):
    url = server.url("/echo?session=curl-echo-1")
    with Following(*EVENTS, url) as stream:
        stream.event()
        for number in range(20):
            curl("--data-binary", f"hello {number}", url)
            expect_equal(stream.event(), [f"data: hello {number}"], "echo")
        curl("-H", "Content-Type: application/octet-stream", "--data-binary", "hello", url)
        expect_equal(stream.event(), ["event: binary", "data: aGVsbG8="], "binary echo")
        curl("-X", "DELETE", url)
        expect_equal(stream.line(), "", "after DELETE")
        expect_equal(stream.process.wait(10), 0, "exit status of curl")
    code, _ = curl("-o", "/dev/null", "-w", "%{http_code}", "--data-binary", "x", url)
    expect_equal(code, b"404", "POST to a session that has ended")
    return "21 echoes, ended by DELETE"


@check(SECTION, "long poll, following the cursor")
def long_poll(server):
    url = server.url("/topics/curl-polling")
    cursor, polls, got = None, 0, []
    while len(got) < 50:
        query = f"?cursor={cursor}" if cursor else "?wait=0"
        with tempfile.NamedTemporaryFile() as body:
            if cursor and polls % 2:
                # Held until something is published.
                with Following("-D", "-", "-o", body.name, url + query) as poll:
                    publish(url, len(got), 5)
                    head = "".join(iter(poll.line, ""))
            else:
                if cursor:
                    publish(url, len(got), 5)
                head = curl("-D", "-", "-o", body.name, url + query)[0].decode()
            polls += 1
            fields = dict(line.split(": ", 1) for line in head.split("\r\n") if ": " in line)
            cursor = fields["triwire-cursor"]
            if " 200 " in head.split("\r\n")[0]:
                batch = json.load(open(body.name))
                # A held poll is answered with the first message; the next one brings the rest.
                got += batch
                while len(got) % 5:
                    out, head = poll_again(url, cursor)
                    polls += 1
                    cursor = head
                    got += out
    expect_equal(got, [f"message {number}" for number in range(50)], "messages")
    return f"50 messages in {polls} polls"


def publish(url, first, count):
    for number in range(first, first + count):
        curl("--data-binary", f"message {number}", url)


def poll_again(url, cursor):
    out, _ = curl("-w", "\n%header{triwire-cursor}", f"{url}?cursor={cursor}")
    body, _, cursor = out.decode().rpartition("\n")
    return json.loads(body), cursor


@check(SECTION, "WebSocket handshake by hand is told what is wrong with it")
def handshake(server):
    url = server.url("/echo")
    upgrade = ["-H", "Connection: Upgrade", "-H", "Upgrade: websocket"]
    key = ["-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    shown = ["-i", *upgrade]
    old = curl(*shown, *key, "-H", "Sec-WebSocket-Version: 8", url)[0].decode().lower()
    expect("426 upgrade required" in old and "sec-websocket-version: 13" in old, old)
    bare = curl(*shown, "-H", "Sec-WebSocket-Version: 13", url)[0].decode()
    expect("400 Bad Request" in bare and "Sec-WebSocket-Key" in bare, bare)
    return "426 names the version, 400 the missing key"
