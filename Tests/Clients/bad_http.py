"""HTTP that breaks a rule: refused with a status and a text, and the others go on."""

import random
import re

from bystander import Bystander
from checks import check, expect, expect_equal
from raw_http import RawConnection

SECTION = "bad-http"


def get(lines, path=b"/healthz"):
    return b"GET %b HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n" % (path, lines)


def post(lines, body=b""):
    return b"POST /reflect HTTP/1.1\r\nHost: a\r\n%b\r\n\r\n%b" % (lines, body)


def chunks(body):
    return post(b"Transfer-Encoding: chunked", body)


LONG = b"a" * 20_000

# What is sent, what answers it, and a word its text has. The sections are those of RFC 9112.
VIOLATIONS = [
    ("§6.3 both lengths", post(b"Content-Length: 5\r\nTransfer-Encoding: chunked"), 400, ""),
    ("§6.3 both lengths", post(b"Transfer-Encoding: chunked\r\nContent-Length: 0"), 400, ""),
    ("§6.3 two lengths", post(b"Content-Length: 5\r\nContent-Length: 6"), 400, ""),
    ("§6.3 list of lengths", post(b"Content-Length: 5, 5"), 400, ""),
    ("§6.3 length with a sign", post(b"Content-Length: +5"), 400, ""),
    ("§6.3 length that overflows", post(b"Content-Length: 18446744073709551621"), 400, ""),
    ("§6.1 chunked is not last", post(b"Transfer-Encoding: chunked, gzip"), 400, ""),
    ("§6.1 chunked twice", post(b"Transfer-Encoding: chunked, chunked"), 400, ""),
    ("§6.1 coding in HTTP/1.0",
     b"POST /reflect HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, ""),
    ("§2.2 bare CR in the request line", b"GET /healthz HTTP/1.1\rHost: a\r\n\r\n", 400, ""),
    ("§2.2 bare CR in a field", get(b"X: a\rb"), 400, ""),
    ("§2.2 bare LF", b"GET /healthz HTTP/1.1\nHost: a\n\n", 400, ""),
    ("§5.2 obs-fold", get(b"X: a\r\n b"), 400, ""),
    ("§5.1 space before the colon", get(b"X : a"), 400, ""),
    ("§5.1 space before the colon", post(b"Content-Length : 5", b"hello"), 400, ""),
    ("§5.1 no name", get(b": a"), 400, ""),
    ("§5.5 NUL in a field", get(b"X: a\0b"), 400, ""),
    ("§3.2 missing Host", b"GET /healthz HTTP/1.1\r\n\r\n", 400, "ost"),
    ("§3.2 doubled Host", get(b"Host: a"), 400, "ost"),
    ("§3.2 malformed Host", b"GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "ost"),
    ("§3 two spaces", b"GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 400, ""),
    ("§3 no version", b"GET /healthz\r\nHost: a\r\n\r\n", 400, ""),
    ("§3.2 fragment in the target", get(b"X: a", b"/healthz#x"), 400, ""),
    ("§7.1 chunk size that is no number", chunks(b"g\r\n"), 400, ""),
    ("§7.1 chunk size with a prefix", chunks(b"0x5\r\nhello\r\n"), 400, ""),
    ("§7.1 chunk size with a sign", chunks(b"-5\r\nhello\r\n"), 400, ""),
    ("§7.1 chunk size that overflows", chunks(b"fffffffffffffffff\r\n"), 400, ""),
    ("§7.1 chunk size with a bare LF", chunks(b"5\nhello\r\n"), 400, ""),
    ("§7.1 chunk shorter than it says", chunks(b"5\r\nhell\r\n0\r\n\r\n"), 400, ""),
    ("§7.1 chunk longer than it says", chunks(b"5\r\nhello!\r\n0\r\n\r\n"), 400, ""),
    ("§7.1.2 length as a trailer", chunks(b"0\r\nContent-Length: 5\r\n\r\n"), 400, ""),
    ("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, ""),
    ("request line over its limit", b"GET /" + LONG, 414, "limits.requestLineBytes"),
    ("head over its limit", get(b"X: " + LONG), 431, "limits.headBytes"),
    ("fields over their limit", get(b"\r\n".join([b"X: a"] * 150)), 431, "limits.headerCount"),
    ("body over its limit", post(b"Content-Length: 99999999999"), 413, "limits.bodyBytes"),
    ("chunks over the limit", chunks(b"7fffffffffff\r\n"), 413, "limits.bodyBytes"),
    ("extensions over their limit", chunks(b"5;" + LONG + b"\r\n"), None, "chunkExtensionBytes"),
    ("trailers over their limit", chunks(b"0\r\nX: " + LONG + b"\r\n\r\n"), 431, "trailerBytes"),
    ("unknown coding", post(b"Transfer-Encoding: gzip"), 501, ""),
    ("unknown coding before chunked", post(b"Transfer-Encoding: gzip, chunked"), 501, ""),
    ("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, ""),
    ("HTTP/3.0", b"GET /healthz HTTP/3.0\r\nHost: a\r\n\r\n", 505, ""),
    ("unknown expectation", get(b"Expect: 200-ok"), 417, ""),
]


@check(SECTION, "each violation has its status, a text, and the end of the connection", 60)
def violations(server):
    with Bystander(server) as others:
        for name, data, wanted, word in VIOLATIONS:
            with RawConnection(server) as connection:
                connection.send(data)
                answer = connection.response()
                expect(answer is not None, f"{name}: no answer")
                status, headers, body = answer
                if wanted is not None:
                    expect_equal(status, wanted, f"{name}: status ({body!r})")
                expect(400 <= status < 600, name, status)
                expect(len(body) > 10 and word in body.decode(), f"{name}: text {body!r}")
                expect_equal(headers.get("connection"), "close", f"{name}: Connection")
                # Nothing after a violation is taken for a request: the connection ends.
                expect_equal(connection.rest(), b"", f"{name}: after the answer")
            others.served(name)
        return f"{len(VIOLATIONS)} violations; {others.bounded_memory()}"


@check(SECTION, "a request smuggled behind a violation is never answered")
def smuggling(server):
    behind = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with Bystander(server) as others:
        for name, data, _, _ in VIOLATIONS:
            with RawConnection(server) as connection:
                connection.send(data + b"\r\n" + behind * 3)
                rest = connection.rest()
                answers = re.findall(rb"HTTP/1.1 \d{3} ", rest)
                expect(len(answers) == 1 and b"\r\n\r\nok\n" not in rest, f"{name}: {rest!r}")
            others.served(name)
        return f"{len(VIOLATIONS)} attempts; {others.bounded_memory()}"


@check(SECTION, "a head that never ends is given up with 408", 40)
def slow_head(server):
    with Bystander(server) as others, RawConnection(server, 35) as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ")
        others.served("half a head")
        status, headers, body = connection.response()
        expect_equal(status, 408, f"status ({body!r})")
        expect_equal(headers.get("connection"), "close", "Connection")
        expect(b"headSeconds" in body, "text", body)
        expect_equal(connection.rest(), b"", "after the answer")
        return f"{body.decode().strip()}; {others.bounded_memory()}"


@check(SECTION, "a client that pipelines and never reads is held back", 60)
def unread_answers(server):
    with Bystander(server) as others:
        taken = {}
        for name, data in [
            ("small answers", get(b"X: a") * 1000),
            ("large answers", post(b"Content-Length: 1000000", b"a" * 1_000_000)),
        ]:
            with RawConnection(server, 1) as connection:
                taken[name] = flood(connection.socket, data, 256 << 20)
                others.served(name)
                figures = others.bounded_memory()
        told = ", ".join(f"{size / 1e6:.1f} MB of {name}" for name, size in taken.items())
        return f"took requests for {told}; {figures}"


def flood(socket, data, most):
    """Sends `data` again and again until the server takes no more for a second, or `most` bytes."""
    size = 0
    while size < most:
        try:
            size += socket.send(data)
        except TimeoutError:
            break
    return size


@check(SECTION, "2,000 mutated requests: an answer or an end, and the server lives", 90)
def mutations(server):
    draw = random.Random(11)
    seeds = [data for _, data, _, _ in VIOLATIONS if len(data) < 1000]
    seeds += [get(b"X: a"), post(b"Content-Length: 5", b"hello"), chunks(b"5\r\nhello\r\n0\r\n\r\n")]
    seeds += [get(b"Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"/echo"),
              get(b"Accept: text/event-stream\r\nLast-Event-ID: 7", b"/topics/mutated"),
              get(b"X: a", b"/echo?cursor=abcdefgh.1&wait=0&session=abcdefgh")]
    with Bystander(server) as others:
        answered = 0
        for turn in range(2000):
            data = bytearray(draw.choice(seeds))
            for _ in range(draw.randint(1, 6)):
                at = draw.randrange(len(data))
                kind = draw.randrange(4)
                if kind == 0:
                    data[at] = draw.randrange(256)
                elif kind == 1:
                    del data[at : at + draw.randint(1, 8)]
                elif kind == 2:
                    data[at:at] = draw.choice([b"\r\n", b"\0", b" ", b":", b"0", b"\xff", b"\r"])
                else:
                    data[at:at] = data[: draw.randint(0, at)]
                if not data:
                    data = bytearray(b"\0")
            with RawConnection(server) as connection:
                connection.send(bytes(data))
                # Half-closed, so whatever it takes this for, the server has to end it.
                connection.socket.shutdown(1)
                answered += connection.rest().startswith(b"HTTP/1.1 ")
            if turn % 50 == 0:
                others.served(f"mutation {turn}")
        return f"{answered:,} answered; {others.bounded_memory()}"
