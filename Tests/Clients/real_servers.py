"""Servers and a proxy that nobody here wrote, for our client (the program EchoClient)."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile

from aiohttp import WSMsgType, web
from websockets.asyncio.server import serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from checks import Failure, check, expect, expect_equal

SECTION = "servers"
LARGEST = 16 << 20
PROXY_VARIABLES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY",
                   "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]


async def play(url, environment=None, **wishes):
    """Runs our client; what it says of itself, or a failure with its last words."""
    program = os.environ["ECHO_CLIENT"]
    own = {name: value for name, value in os.environ.items() if name not in PROXY_VARIABLES}
    own.update(environment or {})
    own["SWIFT_BACKTRACE"] = "enable=no"
    process = await asyncio.create_subprocess_exec(
        program, url, *[f"{name}={value}" for name, value in wishes.items()], env=own,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
    try:
        output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Failure(f"our client ended with {process.returncode}: {errors.decode()[-600:]}")
    return dict(word.split("=", 1) for word in output.decode().split())


@contextlib.asynccontextmanager
async def websockets_server(parameters=None, subprotocols=None):
    """An echo of `websockets`; yields its port and the extensions of each connection."""
    seen = []

    async def echo(connection):
        seen.append([repr(each) for each in connection.protocol.extensions])
        async for message in connection:
            await connection.send(message)

    factories = None if parameters is None else [ServerPerMessageDeflateFactory(**parameters)]
    async with serve(
        echo, "127.0.0.1", 0, max_size=LARGEST + 1, compression=None, extensions=factories,
        subprotocols=subprotocols,
    ) as server:
        yield server.sockets[0].getsockname()[1], seen


@contextlib.asynccontextmanager
async def aiohttp_server(compress, protocols=()):
    """An echo of `aiohttp`; yields its port and how each connection compresses."""
    seen = []

    async def echo(request):
        connection = web.WebSocketResponse(
            max_msg_size=LARGEST + 1, compress=compress, protocols=protocols)
        await connection.prepare(request)
        seen.append(connection.compress)
        async for message in connection:
            if message.type == WSMsgType.TEXT:
                await connection.send_str(message.data)
            elif message.type == WSMsgType.BINARY:
                await connection.send_bytes(message.data)
        return connection

    application = web.Application()
    application.router.add_get("/", echo)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield runner.addresses[0][1], seen
    finally:
        await runner.cleanup()


def compared(told, count):
    expect_equal(int(told["messages"]), count, "messages that came back unchanged")
    expect_equal(told["end"], "1000", "close code")
    return int(told["bytes"])


SETTINGS = [
    ("plain", None, {"deflate": "off"}),
    ("takeover", {}, {"deflate": "takeover"}),
    ("takeover, windows of 15 bits", {}, {"deflate": "takeover", "window": 15}),
    ("takeover, windows of 9 bits", {}, {"deflate": "takeover", "window": 9}),
    ("no takeover by our wish", {}, {"deflate": "no-takeover"}),
    ("no takeover by the server's", {
        "server_no_context_takeover": True, "client_no_context_takeover": True,
        "server_max_window_bits": 10, "client_max_window_bits": 10}, {"deflate": "takeover"}),
    ("refused by the server", None, {"deflate": "takeover"}),
]


@check(SECTION, "websockets as the server: seven settings of permessage-deflate", 300)
async def websockets_settings(_):
    size = 0
    for name, parameters, wishes in SETTINGS:
        async with websockets_server(parameters) as (port, seen):
            told = await play(f"ws://127.0.0.1:{port}/", count=300, seed=len(name), **wishes)
            size += compared(told, 300)
            expect_equal(len(seen[0]), 0 if parameters is None or wishes["deflate"] == "off" else 1,
                         f"extensions with {name}")
            is_smaller = int(told["wire-sent"]) < int(told["payload-sent"])
            expect_equal(is_smaller, bool(seen[0]), f"whether {name} saved bytes")
    names = "; ".join(each[0] for each in SETTINGS)
    return f"300 messages with each of: {names}; {size / 1e6:,.0f} MB"


@check(SECTION, "websockets as the server: messages to 16 MiB", 300)
async def websockets_large(_):
    told = []
    for deflate in ["off", "takeover"]:
        async with websockets_server({} if deflate != "off" else None) as (port, _seen):
            size = compared(await play(
                f"ws://127.0.0.1:{port}/", count=20, largest=LARGEST, deflate=deflate), 20)
            told.append(f"{size / 1e6:,.0f} MB with deflate {deflate}")
    return ", ".join(told)


@check(SECTION, "aiohttp as the server: messages to 16 MiB, plain and compressed", 300)
async def aiohttp_echo(_):
    told = []
    for compress, deflate in [(False, "off"), (True, "takeover"), (True, "no-takeover")]:
        async with aiohttp_server(compress) as (port, seen):
            size = 0
            for count, largest in [(300, 1 << 20), (20, LARGEST)]:
                size += compared(await play(
                    f"http://127.0.0.1:{port}/", count=count, largest=largest, deflate=deflate,
                    window=15) if compress else await play(
                    f"http://127.0.0.1:{port}/", count=count, largest=largest), count)
            expect_equal([bool(each) for each in seen], [compress] * 2, "whether it compresses")
            told.append(f"{size / 1e6:,.0f} MB with deflate {deflate}")
    return ", ".join(told)


@check(SECTION, "subprotocols: the server's choice reaches our client, and none is none")
async def subprotocols(_):
    for offered, chosen in [("chat.v1,chat.v2", "chat.v2"), ("other", "-")]:
        async with websockets_server(subprotocols=["chat.v2"]) as (port, _seen):
            url = f"ws://127.0.0.1:{port}/"
            if chosen == "-":
                # websockets refuses a client that offers none of its subprotocols, with 400.
                try:
                    await play(url, count=1, subprotocols=offered)
                except Failure as failure:
                    expect("400 Bad Request" in str(failure), failure)
                else:
                    expect(False, "a subprotocol of none was accepted")
            else:
                told = await play(url, count=10, subprotocols=offered)
                expect_equal(told["subprotocol"], chosen, "subprotocol of websockets")
        async with aiohttp_server(False, ["chat.v2"]) as (port, _seen):
            told = await play(f"ws://127.0.0.1:{port}/", count=10, subprotocols=offered)
            expect_equal(told["subprotocol"], chosen, "subprotocol of aiohttp")
    return "chat.v2 of two offered, and a refusal or none for another"


class Tinyproxy:
    """Debian's tinyproxy in the foreground, with a configuration of its own."""

    def __init__(self, user=None):
        self.user = user

    def __enter__(self):
        program = shutil.which("tinyproxy", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        expect(program, "tinyproxy is not installed: run Tests/Clients/run")
        self.folder = tempfile.TemporaryDirectory(prefix="triwire-proxy-")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        lines = [f"Port {self.port}", "Listen 127.0.0.1", "Timeout 600", "MaxClients 50",
                 f'LogFile "{self.folder.name}/log"', "LogLevel Connect"]
        if self.user:
            lines.append(f"BasicAuth {self.user[0]} {self.user[1]}")
        path = os.path.join(self.folder.name, "tinyproxy.conf")
        with open(path, "w") as file:
            file.write("\n".join(lines) + "\n")
        self.process = subprocess.Popen(
            [program, "-d", "-c", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        self.must_listen()
        return self

    def must_listen(self):
        for _ in range(200):
            if self.process.poll() is not None:
                raise Failure(f"tinyproxy has ended with {self.process.returncode}")
            with contextlib.suppress(OSError), socket.create_connection(
                    ("127.0.0.1", self.port), 1):
                return
            # Nothing tells when it listens.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        self.__exit__()
        raise Failure("tinyproxy does not listen")

    def tunnels(self):
        """How many tunnels it says it has opened."""
        with open(f"{self.folder.name}/log") as log:
            return sum("CONNECT " in line and "Request" in line for line in log)

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()


TRANSPORTS = ["websocket", "sse", "long-polling"]


@check(SECTION, "tinyproxy: tunnels for each transport, by the environment or the program", 120)
async def tunnels(server):
    with Tinyproxy() as proxy:
        url, address = server.url("/echo"), f"http://127.0.0.1:{proxy.port}"
        opened = 0
        for transport in TRANSPORTS:
            for environment, wishes in [({"http_proxy": address}, {}), ({}, {"proxy": address})]:
                told = await play(url, environment, transport=transport, count=60, **wishes)
                compared(told, 60)
                expected = opened + (1 if transport == "websocket" else 2)
                opened = proxy.tunnels()
                expect(opened >= expected, f"{transport} went around the proxy")
        # What is listed in no_proxy, and HTTP_PROXY in capitals, opens none.
        for environment in [{"http_proxy": address, "no_proxy": "127.0.0.1"},
                            {"HTTP_PROXY": address}]:
            compared(await play(url, environment, count=10), 10)
            expect_equal(proxy.tunnels(), opened, "tunnels of those that need none")
        async with websockets_server({}) as (port, _seen):
            told = await play(f"ws://127.0.0.1:{port}/", {"all_proxy": address}, count=20,
                              largest=LARGEST, deflate="takeover")
            size = compared(told, 20)
    return f"{opened} tunnels, and {size / 1e6:,.0f} MB of websockets' echo through one more"


@check(SECTION, "tinyproxy with a password: the right one opens, a wrong one and none are told")
async def passwords(server):
    with Tinyproxy(("reader", "secret")) as proxy:
        place = f"127.0.0.1:{proxy.port}"
        told = await play(server.url("/echo"), count=20,
                          proxy=f"http://rea%64er:%73ecret@{place}")
        compared(told, 20)
        refusals = []
        for user in ["", "reader:wrong@"]:
            try:
                await play(server.url("/echo"), count=1, proxy=f"http://{user}{place}")
            except Failure as failure:
                refusals.append(str(failure))
        expect_equal(len(refusals), 2, "refusals")
        for refusal in refusals:
            expect(f"the proxy {place}, not the server, refused" in refusal, refusal)
            expect("40" in refusal, refusal)
    return "opened with it, refused without"
