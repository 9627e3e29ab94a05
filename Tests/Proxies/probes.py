"""What a proxy does to requests, seen without our client: so that a case is known to be real."""

import contextlib
import socket
import time

UPGRADE = ("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")
STREAM = "Accept: text/event-stream\r\n"


def answer(proxy, fields, path="/topics/probe", seconds=10, until=b"\r\n\r\n"):
    """The bytes that a request is answered with: until some came, or for so many seconds."""
    came = b""
    deadline = time.monotonic() + seconds
    with socket.create_connection(("127.0.0.1", proxy.port), 10) as connection:
        connection.sendall(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{proxy.port}\r\n{fields}\r\n".encode())
        while until not in came:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            connection.settimeout(left)
            with contextlib.suppress(TimeoutError):
                piece = connection.recv(65536)
                if not piece:
                    break
                came += piece
    return came


def status(proxy, fields, path="/topics/probe", seconds=10):
    """The status of an answer; none when there is none in time."""
    words = answer(proxy, fields, path, seconds).split(b" ", 2)
    return int(words[1]) if len(words) > 2 else None
