"""Misuse of event streams, long polls and posts: a clear answer, and the others go on."""

import select
import threading
import time

import httpx
from httpx_sse import connect_sse

from bystander import Bystander
from checks import check, expect, expect_equal, number_of

SECTION = "bad-sessions"

INJECTIONS = [
    "x\nid: 99\nevent: close\n\ndata: injected", "x\rid: 99\r\rdata: injected",
    "x\r\nid: 99\r\n\r\ndata: injected", "\n\nid: 99\n\n", "id: 99", "retry: 1\n\n",
    ": comment\n", "\ufeffid: 99\n\n", "data: x\n\ndata: y", "a\u2028id: 99\u2029\x85\x0bid: 99",
]
IDS = [b"abc", b"-1", b"+1", b"1.5", b"0x1", b"9" * 40, b"1, 2", b"", b"%0A7", b"\xc3\xa9\xff",
       b"a" * 4000, b"18446744073709551615"]


@check(SECTION, "data with line breaks cannot inject an id, a type or an event")
def injection(server):
    with Bystander(server) as others, httpx.Client(trust_env=False, timeout=10) as client:
        url = server.url("/topics/injection")
        with connect_sse(client, "GET", url) as source:
            events = source.iter_sse()
            for number, data in enumerate(INJECTIONS, 1):
                position = server.publish("injection", data)
                expect_equal(number_of(position), number, "position")
                event = next(events)
                lines = data.replace("\r\n", "\n").replace("\r", "\n")
                expect_equal((event.event, event.id), ("message", position), repr(data))
                expect_equal(event.data, lines, "data")
                others.served(repr(data))
        return f"{len(INJECTIONS)} attempts; {others.bounded_memory()}"


@check(SECTION, "Last-Event-ID that no event ever had")
def last_event_ids(server):
    with Bystander(server) as others, httpx.Client(trust_env=False, timeout=10) as client:
        server.publish("ids", "first")
        for value in IDS:
            with connect_sse(
                client, "GET", server.url("/topics/ids"), headers={"Last-Event-ID": value}
            ) as source:
                events = source.iter_sse()
                wanted = server.publish("ids", repr(value))
                while (event := next(events)).id != wanted:
                    earlier = number_of(event.id) < number_of(wanted)
                    expect(earlier, f"{value!r}: event {event.id}")
                expect_equal(event.data, repr(value), f"event after {value!r}")
            others.served(repr(value))
        return f"{len(IDS)} values, the stream opened for each; {others.bounded_memory()}"


@check(SECTION, "a line break in Last-Event-ID, a session's name or a target stays where it is")
def line_breaks(server):
    with Bystander(server) as others:
        for path in ["/echo?session=abcdefgh%0Aid:1", "/echo?session=%0D%0AX-Injected:1aaaaaaa",
                     "/echo?session=short", "/echo?session=" + "a" * 65, "/echo?session=a%00bcdefgh"]:
            status, headers, body = server.request("GET", path)
            expect_equal(status, 400, f"{path} ({body!r})")
            expect("x-injected" not in headers, headers)
            others.served(path)
        return others.bounded_memory()


@check(SECTION, "long-poll cursors from nowhere, ahead and behind")
def cursors(server):
    with Bystander(server) as others:
        for cursor in ["garbage", "", ".", "a.1", "abcdefgh.", "abcdefgh.-1", "abcdefgh.1.2",
                       "abcdefgh.99999999999999999999", "abcdefgh.1%0A", "%F0%9F%9A%B2abcdef.1"]:
            expect_refusal(server, f"/topics/cursors?wait=0&cursor={cursor}", 400, "cursor")
            others.served(f"cursor {cursor}")
        for cursor in ["no-such-session.0", "no-such-session.18446744073709551615", "AAAAAAAAAAAAAAAAAAAAAA.7"]:
            expect_refusal(server, f"/topics/cursors?wait=0&cursor={cursor}", 404, "cursor")
            others.served(f"cursor {cursor}")
        _, headers, _ = server.request("GET", "/topics/cursors?wait=0")
        name = headers["triwire-cursor"].split(".")[0]
        for number in [1, 2, 18446744073709551615]:
            path = f"/topics/cursors?wait=0&cursor={name}.{number}"
            expect_refusal(server, path, 409, "ahead")
        for number in range(3):
            server.publish("cursors", f"message {number}")
        at = f"/topics/cursors?wait=0&cursor={name}"
        expect_equal(server.request("GET", at + ".0")[0], 200, "poll")
        expect_equal(server.request("GET", at + ".3")[0], 204, "poll that acknowledges all")
        expect_refusal(server, at + ".1", 409, "behind")
        others.served("a cursor behind")
        expect_equal(server.request("GET", at + ".3")[0], 204, "poll after the wrong ones")
        return others.bounded_memory()


def expect_refusal(server, path, wanted, word, method="GET", body=None, headers=None):
    status, _, text = server.request(method, path, body, headers)
    expect_equal(status, wanted, f"{method} {path} ({text!r})")
    expect(word in text.decode(), f"{method} {path}: text {text!r}")


@check(SECTION, "posts that belong nowhere or say nothing sensible")
def posts(server):
    binary = {"content-type": "application/octet-stream"}
    batch = {"content-type": "application/vnd.triwire.batch"}
    with Bystander(server) as others:
        for path, wanted, word, body, headers in [
            ("/echo", 400, "session", b"x", {}),
            ("/echo?session=nobody-here", 404, "session", b"x", {}),
            ("/echo?session=%00", 404, "session", b"x", binary),
            ("/topics/posts", 400, "UTF-8", b"\xff\xfe", {}),
            ("/topics/" + "a" * 256, 404, "", b"x", {}),
            ("/topics/", 404, "", b"x", {}),
            ("/topics/a/b", 404, "", b"x", {}),
        ]:
            expect_refusal(server, path, wanted, word, "POST", body, headers)
            others.served(path)
        server.request("GET", "/echo?session=bad-posts&wait=0")
        at = "/echo?session=bad-posts"
        expect_refusal(server, at, 400, "UTF-8", "POST", b"\xff\xfe")
        for body, wanted in [(b"\x03", 400), (b"\x14abc", 400), (b"\x84\x80\x00", 400),
                             (b"\xff" * 10, 400), (b"\xfc\xff\xff\xff\xff\x0f", 413)]:
            expect_refusal(server, at, wanted, "", "POST", body, batch)
            others.served(f"batch {body!r}")
        # None of a batch is delivered when a part of it is bad.
        expect_refusal(server, at, 400, "batch", "POST", b"\x04a\x07", batch)
        expect_equal(server.request("POST", at, b"good")[0], 204, "a good post")
        status, _, got = server.request("GET", at)
        expect_equal((status, got), (200, b'["good"]'), "what the session got")
        return others.bounded_memory()


@check(SECTION, "a subscriber that never reads is cut off; the others get everything", 60)
def slow_reader(server):
    with Bystander(server) as others, httpx.Client(trust_env=False, timeout=20) as client:
        lazy = server.connect()
        lazy.sendall(b"GET /topics/slow HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
        expect(lazy.recv(4096).startswith(b"HTTP/1.1 200"), "no stream")
        text, count = "x" * 60_000, 500
        with connect_sse(client, "GET", server.url("/topics/slow")) as source:

            def publish():
                for _ in range(count):
                    server.publish("slow", text)

            publisher = threading.Thread(target=publish, daemon=True)
            publisher.start()
            for number, event in enumerate(source.iter_sse(), 1):
                expect_equal(
                    (number_of(event.id), len(event.data)), (number, len(text)), "event")
                if number == count:
                    break
            publisher.join()
        others.served("all of them")
        figures = others.bounded_memory()
        # What was under way when it was cut off, and then the end of the stream.
        size, end = 0, b""
        while not end.endswith(b"\r\n0\r\n\r\n"):
            data = lazy.recv(1 << 20)
            expect(data, "the connection ended in the middle of the stream")
            size += len(data)
            end = (end + data)[-200:]
        lazy.close()
        expect(b"event: close\ndata: 1013" in end, "how the stream ended", end)
        expect(size < count * len(text), "the lazy one got everything")
        return (f"{count * len(text) / 1e6:.0f} MB to one, {size / 1e6:.1f} MB and the end to "
                f"the other; {figures}")


@check(SECTION, "one that takes not a byte of what is left for it is let go in the end", 60)
def stalled_reader(server):
    with Bystander(server) as others:
        lazy = server.connect()
        # Over HTTP/1.0 the end of the stream is the end of the connection.
        lazy.sendall(b"GET /topics/stalled HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n")
        expect(lazy.recv(4096).startswith(b"HTTP/1.1 200"), "no stream")
        for _ in range(200):
            server.publish("stalled", "x" * 60_000)
        others.served("the last message")
        began = time.monotonic()
        # An event that tells of a reset, and nothing else.
        waiting = select.poll()
        waiting.register(lazy, 0)
        expect(waiting.poll(50_000), "the server still keeps the connection after 50 s")
        lazy.close()
        return f"reset after {time.monotonic() - began:.0f} s; {others.bounded_memory()}"
