"""Messages drawn from a seed, and an echo of them that may be pipelined."""

import asyncio
import random
import time
from collections import deque

from checks import expect_equal

MEBIBYTE = 1 << 20
# Where WebSocket changes the form of a length, and the ends of the range.
EDGES = [0, 1, 125, 126, 127, 65535, 65536, MEBIBYTE]

_draw = random.Random(20)
_BYTES = _draw.randbytes(2 * MEBIBYTE)
_ALPHABET = "abc xyz 0189 {}\"\\\t\näöüßéñ€ – Ωж漢字かな한글 🚲🌍🧵"
_TEXT = "".join(_draw.choices(_ALPHABET, k=MEBIBYTE)).encode()


def text_of(size, draw):
    """Text that is exactly so many bytes of UTF-8, characters of all lengths mixed."""
    start = draw.randrange(len(_TEXT) - size) if size < len(_TEXT) else 0
    text = _TEXT[start : start + size].decode(errors="ignore")
    return text + "~" * (size - len(text.encode()))


def bytes_of(size, draw):
    start = draw.randrange(len(_BYTES) - size)
    return _BYTES[start : start + size]


def sizes(count, draw, largest=MEBIBYTE):
    """Log-uniform from 0 to `largest`, and every edge twice."""
    edges = [edge for edge in EDGES if edge <= largest] * 2
    drawn = [int((largest + 2) ** draw.random()) - 1 for _ in range(count - len(edges))] + edges
    draw.shuffle(drawn)
    return drawn


def messages(count, seed, largest=MEBIBYTE):
    """Text (`str`) and binary (`bytes`) messages in turn."""
    draw = random.Random(seed)
    for size in sizes(count, draw, largest):
        yield text_of(size, draw) if draw.random() < 0.5 else bytes_of(size, draw)


def byte_count(message):
    return len(message.encode()) if isinstance(message, str) else len(message)


async def echo(send, receive, sent, count, in_flight=32):
    """Sends `count` messages, never more than `in_flight` ahead of their echoes, and compares."""
    window = asyncio.Semaphore(in_flight)
    expected = deque()
    size = 0
    began = time.monotonic()

    async def sender():
        nonlocal size
        for message in sent:
            await window.acquire()
            expected.append(message)
            size += byte_count(message)
            await send(message)

    async def receiver():
        for index in range(count):
            expect_equal(await receive(), expected.popleft(), f"echo {index + 1}")
            window.release()

    async with asyncio.TaskGroup() as group:
        group.create_task(sender())
        group.create_task(receiver())
    took = time.monotonic() - began
    return f"{count:,} messages, {size / 1e6:,.1f} MB each way, {size / 1e6 / took:,.0f} MB/s"
