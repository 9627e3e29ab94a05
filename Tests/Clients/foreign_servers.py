"""`triwire run --foreign` against servers that nobody here wrote: `websockets` and `aiohttp`."""

import asyncio
import contextlib
import json
import os
import pathlib
import tempfile

from aiohttp import web
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from checks import check, expect, expect_equal

SECTION = "foreign"
SCENARIO = {
    "name": "echoes", "clients": 10, "warmUp": "200 ms", "duration": "1 s", "repetitions": 1,
    "traffic": [{"direction": "echo", "rate": "20/s per client", "payload": "100 B"}]}


@contextlib.asynccontextmanager
async def echoing_websocket():
    async def echo(connection):
        # When a trial is over its clients go without a word.
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                await connection.send(message)

    async with serve(echo, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


class Channels:
    """What an ordinary web service does: a log of messages for each name, and who waits for more."""

    def __init__(self):
        self.logs = {}
        self.changed = asyncio.Condition()

    async def publish(self, request):
        text = await request.text()
        async with self.changed:
            self.logs.setdefault(request.match_info["name"], []).append(text)
            self.changed.notify_all()
        return web.Response(status=204)

    async def after(self, name, position):
        """The messages after a position, once there are some."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.logs.get(name, [])) > position)
            return self.logs[name][position:]

    async def events(self, request):
        name = request.match_info["name"]
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        position = len(self.logs.get(name, []))
        while True:
            for text in await self.after(name, position):
                position += 1
                await response.write(f"id: {position}\ndata: {text}\n\n".encode())

    async def poll(self, request):
        """One message as the body, the cursor in a header field; 204 when nothing came for 2 s."""
        name, position = request.match_info["name"], int(request.query.get("after", 0))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                text = (await self.after(name, position))[0]
                return web.Response(text=text, headers={"x-cursor": str(position + 1)})
        return web.Response(status=204, headers={"x-cursor": str(position)})

    async def batch(self, request):
        """All messages as a JSON object with the cursor beside them."""
        name, position = request.match_info["name"], int(request.query["after"])
        texts = await self.after(name, position)
        return web.json_response({"next": position + len(texts), "texts": texts})


@contextlib.asynccontextmanager
async def channels():
    service = Channels()
    application = web.Application()
    application.router.add_post("/publish/{name}", service.publish)
    application.router.add_get("/events/{name}", service.events)
    application.router.add_get("/poll/{name}", service.poll)
    application.router.add_get("/batch/{name}", service.batch)
    # What waits when a trial is over is not waited for.
    runner = web.AppRunner(application, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def measured(server, servers):
    """What a run over all transports that have a URL wrote of each."""
    with tempfile.TemporaryDirectory(prefix="triwire-foreign-") as folder:
        scenario, urls = pathlib.Path(folder) / "echoes.json", pathlib.Path(folder) / "urls.json"
        scenario.write_text(json.dumps(SCENARIO))
        urls.write_text(json.dumps(servers))
        report = pathlib.Path(folder) / "report"
        process = await asyncio.create_subprocess_exec(
            server.command[0], "run", str(scenario), "--profile", "full", "--retries", "0",
            "--quiet", "--transports", ",".join(servers), "--foreign", str(urls),
            "--output", str(report),
            env=os.environ | {"SWIFT_BACKTRACE": "enable=no"},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        expect_equal(process.returncode, 0, f"exit status of triwire run: {output.decode()[-600:]}")
        result = json.loads((report / "result.json").read_text())
    expect_equal(result["foreign"], servers, "servers of the result")
    return [judged(trial) for trial in result["trials"]]


def judged(trial):
    """That all came back, that bytes add up, and that nothing is said of what nobody knows."""
    name, delivery = trial["transport"], trial["delivery"]
    expect_equal(trial["failures"], [], f"failures of {name}")
    expect(delivery["expected"] > 100, name, "had to deliver", delivery["expected"])
    expect_equal(delivery["delivered"], delivery["expected"], f"messages that came over {name}")
    expect_equal((delivery["duplicated"], delivery["reordered"]), (0, 0), f"repeats of {name}")
    for layers in (trial["bytes"]["up"], trial["bytes"]["down"]):
        parts = sum(layers[part] for part in ("payload", "framing", "control", "http", "tls"))
        expect_equal(parts, layers["socket"], f"layers of {name}")
        expect_equal(layers["payload"], 100 * trial["bytes"]["messages"], f"payload of {name}")
    absent = [
        (trial["cpu"], "serverMicroseconds"), (trial["validity"], "serverBusy"),
        (trial["connection"], "serverSystemCalls"), (trial["bytes"]["down"], "retransmitted")]
    for part, key in absent:
        expect(key not in part, name, "says", key, part.get(key))
    p50 = trial["latencyMicroseconds"]["p50"]
    return f"{name} {delivery['delivered']} of {delivery['expected']}, p50 {p50:.0f} µs"


@check(SECTION, "websockets: a WebSocket that echoes", seconds=60)
async def websocket(server):
    async with echoing_websocket() as port:
        return ", ".join(await measured(server, {"websocket": f"ws://127.0.0.1:{port}/"}))


@check(SECTION, "aiohttp: events, and polls with the cursor in a header field", seconds=90)
async def plain(server):
    async with channels() as url:
        name = "{trial}-{client}"
        return ", ".join(await measured(server, {
            "sse": {"events": f"{url}/events/{name}", "publish": f"{url}/publish/{name}"},
            "long-polling": {
                "poll": f"{url}/poll/{name}?after={{cursor}}", "publish": f"{url}/publish/{name}",
                "cursor": "header x-cursor"}}))


@check(SECTION, "aiohttp: polls with JSON and the cursor in it", seconds=90)
async def batches(server):
    async with channels() as url:
        name = "{trial}-{client}"
        return ", ".join(await measured(server, {"long-polling": {
            "poll": f"{url}/batch/{name}?after={{cursor}}", "publish": f"{url}/publish/{name}",
            "start": "0", "cursor": "field next", "messages": "field texts"}}))
