"""WebSocket by `websockets` and `aiohttp`: echo, fragments, pings, close codes, many at once."""

import asyncio
import random
import time

import aiohttp
from aiohttp import WSMsgType
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from checks import check, expect, expect_equal
from workload import bytes_of, echo, messages, text_of

SECTION = "websocket"
# RFC 6455 §7.4: those an endpoint may send, at the ends of each range.
CLOSE_CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]


def dial(server, **options):
    return connect(server.url("/echo", "ws"), max_size=2 << 20, proxy=None, **options)


@check(SECTION, "websockets: 10,000 echoes of 0 B to 1 MiB", 120)
async def websockets_echo(server):
    async with dial(server) as socket:
        # It offered permessage-deflate; the answer must not use what it does not speak.
        extensions = [each.name for each in socket.protocol.extensions]
        expect(all(name == "permessage-deflate" for name in extensions), extensions)
        return await echo(socket.send, socket.recv, messages(10_000, seed=1), 10_000)


@check(SECTION, "aiohttp: 10,000 echoes of 0 B to 1 MiB", 120)
async def aiohttp_echo(server):
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(server.url("/echo"), max_msg_size=2 << 20) as socket:

            async def send(message):
                if isinstance(message, str):
                    await socket.send_str(message)
                else:
                    await socket.send_bytes(message)

            async def receive():
                got = await socket.receive()
                expect(got.type in (WSMsgType.TEXT, WSMsgType.BINARY), got.type, got.extra)
                return got.data

            return await echo(send, receive, messages(10_000, seed=2), 10_000)


@check(SECTION, "websockets: fragmented sends with pings between the fragments")
async def fragments(server):
    draw = random.Random(3)
    count = pieces = pings = 0
    async with dial(server) as socket:
        for _ in range(300):
            is_text = draw.random() < 0.5
            size = int(200_000 ** draw.random())
            whole = text_of(size, draw).encode() if is_text else bytes_of(size, draw)
            cuts = sorted(draw.randint(0, size) for _ in range(draw.randint(0, 12)))
            # Cut anywhere: within a character, and into empty pieces.
            parts = [whole[a:b] for a, b in zip([0] + cuts, cuts + [size])]

            async def produce():
                nonlocal pings
                for part in parts:
                    yield part
                    if draw.random() < 0.2:
                        await (await socket.ping())
                        pings += 1

            await socket.send(produce(), text=is_text)
            got = await socket.recv()
            expect_equal(got, whole.decode() if is_text else whole, "echo of a fragmented message")
            count += 1
            pieces += len(parts)
    return f"{count} messages in {pieces:,} fragments, {pings} pings between them"


@check(SECTION, "pings of 0 to 125 bytes are answered with the same bytes")
async def pings(server):
    draw = random.Random(4)
    async with dial(server) as socket:
        slowest = 0
        for size in range(126):
            began = time.monotonic()
            # The library completes only when a pong with the same bytes comes.
            await (await socket.ping(draw.randbytes(size)))
            slowest = max(slowest, time.monotonic() - began)
        await socket.pong(b"nobody asked")
        await socket.send("still here")
        expect_equal(await socket.recv(), "still here", "echo after an unasked pong")
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(server.url("/echo"), autoping=False) as socket:
            await socket.ping(b"aiohttp")
            got = await socket.receive()
            expect_equal((got.type, bytes(got.data)), (WSMsgType.PONG, b"aiohttp"), "pong")
    return f"127 pings, the slowest {slowest * 1e3:.1f} ms"


@check(SECTION, "close codes come back")
async def close_codes(server):
    for code in CLOSE_CODES:
        async with dial(server) as socket:
            await socket.send("before")
            expect_equal(await socket.recv(), "before", "echo")
            await socket.close(code, "enough, wörklich")
            expect(socket.protocol.close_rcvd is not None, f"no close frame in answer to {code}")
            expect_equal(socket.protocol.close_rcvd.code, code, "code of the answer")
            try:
                await socket.recv()
            except ConnectionClosed:
                pass
            else:
                expect(False, "a message came after the close")
    async with aiohttp.ClientSession() as session:
        for code in CLOSE_CODES:
            socket = await session.ws_connect(server.url("/echo"))
            await socket.close(code=code, message=b"enough")
            expect_equal(socket.close_code, code, "aiohttp's close code")
    return f"{len(CLOSE_CODES)} codes from each of the two libraries"


@check(SECTION, "a close while echoes are under way: what comes is in order, then the answer")
async def close_after_messages(server):
    # Without a bound on its queue the library goes on reading while it closes.
    async with dial(server, max_queue=None) as socket:
        for number in range(500):
            await socket.send(str(number))
        # Reads until the close handshake is done, then hands out what came before it.
        await socket.close(1000)
        got = [message async for message in socket]
    whole = [str(number) for number in range(500)]
    expect_equal(got, whole[: len(got)], "echoes")
    return f"{len(got)} of 500 echoes came before the answer to the close"


@check(SECTION, "500 clients at once, 20 echoes each", 60)
async def many(server):
    async def one(session, number):
        async with session.ws_connect(server.url("/echo")) as socket:
            for turn in range(20):
                await socket.send_str(f"{number}/{turn}")
                expect_equal(await socket.receive_str(), f"{number}/{turn}", "echo")

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:
        async with asyncio.TaskGroup() as group:
            for number in range(500):
                group.create_task(one(session, number))
    return "10,000 echoes, none to the wrong client"
