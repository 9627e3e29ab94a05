"""Plain HTTP by `aiohttp`, and by raw sockets where a client must write its requests itself."""

import random
import socket
import threading

import aiohttp

from checks import check, expect, expect_equal
from raw_http import RawConnection, chunked
from workload import bytes_of

SECTION = "http"


def request(kind, number):
    """A request for the pipeline: its bytes, method, and the body of the answer."""
    body = f"request {number} ".encode() * (number % 50)
    head = b"%b %b HTTP/1.1\r\nHost: triwire\r\n%b\r\n%b"
    if kind == "get":
        return head % (b"GET", b"/healthz", b"", b""), "GET", b"ok\n"
    if kind == "head":
        return head % (b"HEAD", b"/healthz", b"", b""), "HEAD", b""
    if kind == "length":
        length = b"Content-Length: %d\r\n" % len(body)
        return head % (b"POST", b"/reflect", length, body), "POST", body
    coding = b"Transfer-Encoding: chunked\r\n"
    return head % (b"PUT", b"/reflect", coding, chunked(body, 100)), "PUT", body


@check(SECTION, "raw socket: pipelined requests are answered in order")
def pipelining(server):
    draw = random.Random(5)
    kinds = ["get", "head", "length", "chunked"]
    asked = [request(draw.choice(kinds), number) for number in range(1000)]
    with RawConnection(server) as connection:
        # In flights small enough that neither end waits for the other to read.
        for at in range(0, len(asked), 50):
            flight = asked[at : at + 50]
            connection.send(b"".join(data for data, _, _ in flight))
            for _, method, body in flight:
                status, _, got = connection.response(method)
                expect_equal((status, got), (200, body), "pipelined answer")
    return "1,000 requests, 50 in flight, on one connection"


@check(SECTION, "raw socket: a request that comes byte by byte")
def byte_by_byte(server):
    data, method, body = request("chunked", 49)
    with RawConnection(server) as connection:
        for at in range(len(data)):
            connection.send(data[at : at + 1])
        status, _, got = connection.response(method)
        expect_equal((status, got), (200, body), "answer")
    return f"{len(data)} bytes"


@check(SECTION, "raw socket: 100 MB of pipelined requests, half-close, then all answers")
def half_close(server):
    body = random.Random(12).randbytes(500_000)
    data = b"POST /reflect HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" + body
    with RawConnection(server) as connection:

        def send():
            for _ in range(200):
                connection.send(data)
            connection.socket.shutdown(socket.SHUT_WR)

        # The server takes no more than it can get rid of, so sending waits for reading.
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        for number in range(200):
            status, _, got = connection.response()
            expect(status == 200 and got == body, f"answer {number + 1}: {status}, {len(got)} bytes")
        sender.join()
        expect_equal(connection.rest(), b"", "after the last answer")
    return "200 answers, then the end"


@check(SECTION, "aiohttp: every method, bodies of known length and chunked, both ways")
async def methods_and_bodies(server):
    draw = random.Random(6)
    moved = 0
    async with aiohttp.ClientSession() as session:
        for turn in range(200):
            body = bytes_of(int((1 << 20) ** draw.random()), draw)
            method = draw.choice(["POST", "PUT", "PATCH", "DELETE", "PROPFIND"])

            async def pieces(body=body):
                at = 0
                while at < len(body):
                    size = draw.randint(1, 50_000)
                    yield body[at : at + size]
                    at += size

            data = pieces() if turn % 2 else body
            async with session.request(method, server.url("/reflect"), data=data) as response:
                expect_equal(response.status, 200, f"status of {method}")
                expect_equal(await response.read(), body, f"body of {method}")
            moved += len(body)
    return f"200 bodies, {moved / 1e6:.1f} MB each way"


@check(SECTION, "aiohttp: HEAD, 404, 405 and OPTIONS on one connection")
async def statuses(server):
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.head(server.url("/healthz")) as response:
            length = response.headers.get("content-length")
            expect_equal((response.status, length), (200, "3"), "HEAD")
            expect("date" in response.headers, "no Date")
        async with session.get(server.url("/nowhere")) as response:
            expect_equal(response.status, 404, "unknown path")
        async with session.put(server.url("/healthz"), data=b"x") as response:
            expect_equal(response.status, 405, "PUT /healthz")
            expect("GET" in response.headers["allow"], "Allow", response.headers["allow"])
        async with session.options(server.url("/healthz")) as response:
            expect(response.status in (200, 204), "OPTIONS", response.status)
        async with session.get(server.url("/healthz")) as response:
            expect_equal(await response.text(), "ok\n", "after them")
    return "5 requests"
