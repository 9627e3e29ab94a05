"""Compressed WebSockets and messages up to 16 MiB by five libraries, compressed event streams and polls
by curl, against `serve --deflate --gzip`."""

import asyncio
import random
import socket as sockets
import threading

import aiohttp
import picows
import websocket
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Request, TextMessage
from wsproto.extensions import PerMessageDeflate

from checks import check, expect, expect_equal
from curl_clients import EVENTS, Following, curl
from server import Server
from workload import echo, messages

SECTION = "deflate"
LARGEST = 16 << 20
SETTINGS = {
    "defaults": {},
    "windows of 9 bits": {"server_max_window_bits": 9, "client_max_window_bits": 9},
    "windows of 15 bits": {"server_max_window_bits": 15, "client_max_window_bits": 15},
    "no context at the server": {"server_no_context_takeover": True},
    "no context at the client": {"client_no_context_takeover": True},
    "no context, small windows": {
        "server_no_context_takeover": True, "client_no_context_takeover": True,
        "server_max_window_bits": 10, "client_max_window_bits": 10,
    },
}


class DeflateServer(Server):
    """`triwire serve` that compresses, and takes the largest messages."""

    def __init__(self, command):
        super().__init__(command)
        self.command += ["--deflate", "--gzip", "--message-limit", str(LARGEST)]


def compressed(server):
    return DeflateServer([server.command[0]])


@check(SECTION, "websockets: six settings of permessage-deflate", 180)
async def websockets_settings(server):
    told = []
    with compressed(server) as own:
        for name, settings in SETTINGS.items():
            factory = ClientPerMessageDeflateFactory(**settings)
            async with connect(
                own.url("/echo", "ws"), max_size=2 << 20, proxy=None, compression=None,
                extensions=[factory],
            ) as socket:
                chosen = [each.name for each in socket.protocol.extensions]
                expect_equal(chosen, ["permessage-deflate"], f"extensions with {name}")
                await echo(socket.send, socket.recv, messages(500, seed=7), 500)
                told.append(name)
    return f"500 messages with each of: {', '.join(told)}"


@check(SECTION, "websockets: messages to 16 MiB", 180)
async def websockets_large(server):
    with compressed(server) as own:
        async with connect(own.url("/echo", "ws"), max_size=LARGEST, proxy=None) as socket:
            sent = list(messages(20, seed=8, largest=1 << 20))
            draw = random.Random(9)
            sent += [draw.randbytes(LARGEST), "é" * (LARGEST // 2), b"\0" * LARGEST]
            return await echo(socket.send, socket.recv, sent, len(sent), in_flight=1)


@check(SECTION, "curl --compressed: 50 events and a poll in the coding gzip, each as soon as it is there")
def curl_gzip(server):
    told = 0
    with compressed(server) as own:
        topic = own.url("/topics/gzip")
        with Following("--compressed", *EVENTS, topic) as stream:
            expect_equal(stream.line(), ": \n", "first bytes")
            expect_equal(stream.line(), "\n", "end of the comment")
            for number in range(50):
                text = f"{number} " * (1 + number * 20)
                curl("--data-binary", text, topic)
                expect_equal(stream.event()[-1], f"data: {text}", f"event {number}")
                told += len(text)
        text = "a poll's answer " * 100
        name = own.url("/topics/gzip?session=gzip-poll-1&wait=0")
        curl("--compressed", name)
        curl("--data-binary", text, topic)
        answer, _ = curl("--compressed", "--include", own.url("/topics/gzip?session=gzip-poll-1"))
        expect(b"content-encoding: gzip" in answer, "the poll's answer is not in the coding gzip")
        expect(text.encode() in answer, "the poll's answer is not what was published")
    return f"{told} bytes in events"


@check(SECTION, "aiohttp: compressed echo", 120)
async def aiohttp_deflate(server):
    with compressed(server) as own:
        async with aiohttp.ClientSession() as session:
            async with session.ws_connect(
                own.url("/echo"), max_msg_size=2 << 20, compress=15
            ) as socket:
                expect(socket.compress, "permessage-deflate was not agreed on")

                async def send(message):
                    if isinstance(message, str):
                        await socket.send_str(message)
                    else:
                        await socket.send_bytes(message)

                async def receive():
                    return (await socket.receive()).data

                return await echo(send, receive, messages(1000, seed=10), 1000)


@check(SECTION, "picows: plain echo beside compressed ones", 120)
async def picows_echo(server):
    with compressed(server) as own:
        arrived = asyncio.Queue()

        class Listener(picows.WSListener):
            def on_ws_frame(self, transport, frame):
                if frame.msg_type == picows.WSMsgType.TEXT:
                    arrived.put_nowait(frame.get_payload_as_utf8_text())
                elif frame.msg_type == picows.WSMsgType.BINARY:
                    arrived.put_nowait(frame.get_payload_as_bytes())

        transport, _ = await picows.ws_connect(Listener, own.url("/echo", "ws"))

        async def send(message):
            is_text = isinstance(message, str)
            kind = picows.WSMsgType.TEXT if is_text else picows.WSMsgType.BINARY
            transport.send(kind, message.encode() if is_text else message)

        told = await echo(send, arrived.get, messages(1000, seed=11), 1000)
        transport.send_close(picows.WSCloseCode.OK)
        transport.disconnect()
        return told


@check(SECTION, "websocket-client: echo from a thread", 120)
async def websocket_client_echo(server):
    with compressed(server) as own:

        def play():
            socket = websocket.create_connection(own.url("/echo", "ws"), timeout=30)
            count = 0
            for message in messages(500, seed=12):
                is_text = isinstance(message, str)
                code = websocket.ABNF.OPCODE_TEXT if is_text else websocket.ABNF.OPCODE_BINARY
                socket.send(message, opcode=code)
                expect_equal(socket.recv(), message, f"echo {count + 1}")
                count += 1
            socket.close()
            return count

        return f"{await asyncio.to_thread(play):,} messages"


@check(SECTION, "wsproto: compressed echo over its own bytes", 120)
async def wsproto_echo(server):
    with compressed(server) as own:
        return f"{await asyncio.to_thread(play_wsproto, own.port):,} messages"


def play_wsproto(port):
    protocol = WSConnection(ConnectionType.CLIENT)
    deflate = PerMessageDeflate()
    with sockets.create_connection(("127.0.0.1", port), timeout=30) as wire:
        request = Request(host=f"127.0.0.1:{port}", target="/echo", extensions=[deflate])
        wire.sendall(protocol.send(request))
        whole = []
        ready = next_events(protocol, wire)
        first = next(ready)
        expect(isinstance(first, AcceptConnection), f"wsproto saw {first}")
        expect(deflate.enabled(), "permessage-deflate was not agreed on")
        count = 0
        for message in messages(500, seed=13):
            kind = TextMessage if isinstance(message, str) else BytesMessage
            threading.Thread(target=wire.sendall, args=(protocol.send(kind(data=message)),)).start()
            whole = []
            for event in ready:
                whole.append(event.data)
                if event.message_finished:
                    break
            empty = "" if isinstance(message, str) else b""
            expect_equal(empty.join(map(type(empty), whole)), message, f"echo {count + 1}")
            count += 1
        wire.sendall(protocol.send(CloseConnection(code=1000)))
        return count


def next_events(protocol, wire):
    while True:
        for event in protocol.events():
            yield event
        protocol.receive_data(wire.recv(1 << 20))
