"""WebSocket frames that break a rule: closed with the right code, and the others go on."""

import os
import socket
import struct

from bad_http import flood
from bystander import Bystander
from checks import check, expect, expect_equal
from raw_http import RawConnection

SECTION = "bad-websocket"
TEXT, BINARY, CLOSE, PING = 1, 2, 8, 9
HANDSHAKE = (
    b"GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")


def frame(opcode, payload=b"", final=True, reserved=0, masked=True, length=None, form=None):
    """A client's frame (RFC 6455 §5.2), wrong where it is told to be.

    `length` announces another length than there is; `form` is 7, 16 or 64 bits for it.
    """
    length = len(payload) if length is None else length
    form = form or (7 if length < 126 else 16 if length < 65536 else 64)
    first = final << 7 | reserved << 4 | opcode
    bit = 0x80 if masked else 0
    head = {7: lambda: struct.pack(">BB", first, bit | length),
            16: lambda: struct.pack(">BBH", first, bit | 126, length),
            64: lambda: struct.pack(">BBQ", first, bit | 127, length)}[form]()
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def close(code, reason=b""):
    return frame(CLOSE, struct.pack(">H", code) + reason)


BAD_UTF8 = b"\xce\xba\xed\xa0\x80"  # a surrogate

# The sections are those of RFC 6455.
VIOLATIONS = [
    ("§5.1 no mask", frame(TEXT, b"hello", masked=False), 1002),
    ("§5.1 no mask on a ping", frame(PING, b"hello", masked=False), 1002),
    ("§5.2 reserved bit 1", frame(TEXT, b"hello", reserved=4), 1002),
    ("§5.2 reserved bit 2", frame(BINARY, b"hello", reserved=2), 1002),
    ("§5.2 reserved bit 3", frame(PING, b"hello", reserved=1), 1002),
    ("§5.2 opcode 3", frame(3, b"hello"), 1002),
    ("§5.2 opcode 11", frame(11, b"hello"), 1002),
    ("§5.2 length not in the shortest form", frame(TEXT, b"hello", form=16), 1002),
    ("§5.2 length not in the shortest form", frame(TEXT, b"a" * 200, form=64), 1002),
    ("§5.2 top bit of a length", frame(TEXT, b"hello", length=1 << 63, form=64), 1002),
    ("§5.4 continuation of nothing", frame(0, b"hello"), 1002),
    ("§5.4 message within a message", frame(TEXT, b"a", final=False) + frame(TEXT, b"b"), 1002),
    ("§5.5 fragmented ping", frame(PING, b"hello", final=False), 1002),
    ("§5.5 ping of 126 bytes", frame(PING, b"a" * 126), 1002),
    ("§5.5.1 half a close code", frame(CLOSE, b"\x03"), 1002),
    ("§7.4.1 close code 999", close(999), 1002),
    ("§7.4.1 close code 1004", close(1004), 1002),
    ("§7.4.1 close code 1005", close(1005), 1002),
    ("§7.4.1 close code 1006", close(1006), 1002),
    ("§7.4.1 close code 1015", close(1015), 1002),
    ("§7.4.2 close code 5000", close(5000), 1002),
    ("§8.1 text that is not UTF-8", frame(TEXT, BAD_UTF8), 1007),
    ("§8.1 text that ends in a character", frame(TEXT, "ж".encode()[:1]), 1007),
    ("§8.1 bad text in a second fragment",
     frame(TEXT, b"good", final=False) + frame(0, BAD_UTF8), 1007),
    ("§8.1 close reason that is not UTF-8", close(1000, BAD_UTF8), 1007),
    ("message over the limit", frame(BINARY, b"a", length=1 << 40), 1009),
    ("largest length there is", frame(BINARY, b"a", length=(1 << 63) - 1), 1009),
    ("fragments over the limit",
     frame(BINARY, b"a", final=False) + frame(0, b"a", length=(1 << 63) - 1), 1009),
]


class RawWebSocket(RawConnection):
    """A connection that has switched to WebSocket."""

    def __init__(self, server):
        super().__init__(server)
        self.send(HANDSHAKE)
        status, headers, _ = self.response()
        expect_equal(status, 101, "handshake")
        # The example of RFC 6455 §1.3.
        accept = headers["sec-websocket-accept"]
        expect_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Accept")

    def frame(self):
        """The next frame of the server: opcode and payload."""
        first, second = self.reader.read(2)
        expect(second < 128, "the server masked a frame")
        length = second
        if second == 126:
            (length,) = struct.unpack(">H", self.reader.read(2))
        elif second == 127:
            (length,) = struct.unpack(">Q", self.reader.read(8))
        return first & 15, self.reader.read(length)


@check(SECTION, "each violation has its close code, and the end of the connection", 60)
def violations(server):
    with Bystander(server) as others:
        for name, data, wanted in VIOLATIONS:
            with RawWebSocket(server) as connection:
                connection.send(frame(TEXT, b"before"))
                expect_equal(connection.frame(), (TEXT, b"before"), f"{name}: echo before")
                connection.send(data + frame(TEXT, b"after"))
                opcode, payload = connection.frame()
                expect_equal(opcode, CLOSE, f"{name}: opcode of the answer")
                (code,) = struct.unpack(">H", payload[:2])
                expect_equal(code, wanted, f"{name}: close code ({payload[2:]!r})")
                expect_equal(connection.rest(), b"", f"{name}: after the close")
            others.served(name)
        return f"{len(VIOLATIONS)} violations; {others.bounded_memory()}"


@check(SECTION, "a close without a code is answered without one; a frame cut anywhere works")
def permitted(server):
    with Bystander(server) as others:
        with RawWebSocket(server) as connection:
            data = frame(TEXT, b"a" * 70_000)
            for piece in [data[:1], data[1:2], data[2:9], data[9:13], data[13:14], data[14:]]:
                connection.send(piece)
                others.served("a piece of a frame")
            expect_equal(connection.frame(), (TEXT, b"a" * 70_000), "echo")
            connection.send(frame(CLOSE))
            opcode, payload = connection.frame()
            expect_equal((opcode, payload), (CLOSE, b""), "answer to a close without a code")
            expect_equal(connection.rest(), b"", "after the close")
    return "as RFC 6455 §5.5.1 says"


@check(SECTION, "a client that floods with messages or pings and never reads is held back", 60)
def unread_answers(server):
    with Bystander(server) as others:
        taken = {}
        for name, data in [
            ("messages", frame(BINARY, b"a" * 100_000)), ("pings", frame(PING, b"a" * 125) * 1000)
        ]:
            with RawWebSocket(server) as connection:
                connection.socket.settimeout(1)
                taken[name] = flood(connection.socket, data, 256 << 20)
                others.served(name)
                figures = others.bounded_memory()
        told = ", ".join(f"{size / 1e6:.1f} MB of {name}" for name, size in taken.items())
        return f"took {told}; {figures}"


@check(SECTION, "200 clients that vanish in the middle of a message", 60)
def abrupt_deaths(server):
    with Bystander(server) as others:
        before = server.descriptors()
        for turn in range(200):
            with RawWebSocket(server) as connection:
                connection.send(frame(BINARY, b"a" * 5000, length=100_000))
                if turn % 2:
                    # A reset instead of an orderly end.
                    linger = struct.pack("ii", 1, 0)
                    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            if turn % 20 == 0:
                others.served(f"death {turn}")
        others.served("the last death")
        after = server.descriptors()
        expect(after - before < 20, f"{before} descriptors before, {after} after")
        return f"{before} descriptors before, {after} after; {others.bounded_memory()}"
