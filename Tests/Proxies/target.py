"""`triwire run --target` against `triwire serve --trials` behind proxies."""

import asyncio
import contextlib
import json
import os
import pathlib
import subprocess
import tempfile

from checks import check, expect, expect_equal
from proxies import HAProxy, Nginx
from server import Server

SECTION = "target"
SCENARIO = {
    "name": "target", "clients": 8, "warmUp": "200 ms", "duration": "1 s", "repetitions": 1,
    "traffic": [
        {"direction": "echo", "rate": "20/s per client", "payload": "100 B"},
        {"direction": "up", "rate": "20/s per client", "payload": "100 B"},
        {"name": "feed", "direction": "broadcast", "rate": "20/s in all", "payload": "100 B"}]}


# A proxy that knows nothing of WebSocket.
NO_UPGRADE = """
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
"""
# Another clock in the same start of the same machine.
OTHER_CLOCK = ["unshare", "-T", "--monotonic", "1000"]


class Trials(Server):
    """A server that lets itself be measured."""

    def __init__(self, server, before=()):
        super().__init__([*before, server.command[0]])
        self.command.append("--trials")


async def run(server, *words):
    """A short run with these options: its status, what it said, and its result."""
    with tempfile.TemporaryDirectory(prefix="triwire-target-") as folder:
        scenario, report = pathlib.Path(folder) / "target.json", pathlib.Path(folder) / "report"
        scenario.write_text(json.dumps(SCENARIO))
        process = await asyncio.create_subprocess_exec(
            server.command[0], "run", str(scenario), "--profile", "full", "--retries", "0",
            "--output", str(report), *words,
            env=os.environ | {"SWIFT_BACKTRACE": "enable=no"},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        result = None
        with contextlib.suppress(OSError):
            result = json.loads((report / "result.json").read_text())
        return process.returncode, output.decode(), result


async def measured(server, url, is_direct):
    """A run: every transport's trial, all of it right as far as that can be known."""
    status, output, result = await run(server, "--target", url)
    expect_equal(status, 0, f"exit status: {output[-900:]}")
    expect_equal("speaks HTTP itself" in output, not is_direct, "a sentence about what is between")
    figures = {}
    for trial in result["trials"]:
        name, delivery = trial["transport"], trial["delivery"]
        expect_equal(trial["failures"], [], f"failures of {name}")
        expect_equal(delivery["delivered"], delivery["expected"], f"messages that came over {name}")
        expect_equal((delivery["lost"], delivery["duplicated"]), (0, 0), f"lost, double of {name}")
        # HAProxy passes a WebSocket on without changing a byte, which nobody can tell from none.
        reconciles = trial["target"]["isReconciled"]
        if is_direct or name != "websocket":
            expect_equal(reconciles, is_direct, f"whether {name} reconciles")
        # On one machine both sides read one clock, whatever is in between.
        expect_equal(trial["target"]["clock"], "shared", f"clock of {name}")
        for layers in (trial["bytes"]["up"], trial["bytes"]["down"]):
            parts = sum(layers[part] for part in ("payload", "framing", "control", "http", "tls"))
            expect_equal(parts, layers["socket"], f"layers of {name}")
        expect_equal(
            "retransmitted" in trial["bytes"]["down"], reconciles, f"what {name} knows of the server")
        figures[name] = trial
    expect_equal(len(figures), 3, "transports")
    return figures


def per_message(trial, direction, part):
    return trial["bytes"][direction][part] / trial["bytes"]["messages"]


async def through(proxy, server):
    """The same through a proxy as without it, as far as a proxy cannot change it."""
    with Trials(server) as trials:
        direct = await measured(server, trials.url(""), True)
        with proxy(trials.port) as between:
            proxied = await measured(server, between.url(""), False)
    for direction in ("up", "down"):
        for name in direct:
            one, other = [per_message(each[name], direction, "payload") for each in (direct, proxied)]
            expect_equal(other, one, f"payload {direction} of {name}")
        # A WebSocket's frames pass as they are.
        one, other = [
            per_message(each["websocket"], direction, "framing") for each in (direct, proxied)]
        expect_equal(other, one, f"framing {direction} of websocket")
    return ", ".join(
        f"{name} {trial['delivery']['delivered']} of {trial['delivery']['expected']}"
        for name, trial in proxied.items())


@check(SECTION, "nginx as documented: a run over each transport", seconds=180)
async def nginx(server):
    return await through(Nginx, server)


@check(SECTION, "HAProxy as documented: a run over each transport", seconds=180)
async def haproxy(server):
    return await through(HAProxy, server)


@check(SECTION, "nginx without Upgrade: driven over another transport, and measured", seconds=120)
async def no_upgrade(server):
    with Trials(server) as trials, Nginx(trials.port, NO_UPGRADE) as between:
        status, output, result = await run(
            server, "--target", between.url(""), "--transports", "sse,long-polling")
    expect_equal(status, 0, f"exit status: {output[-900:]}")
    expect_equal([trial["failures"] for trial in result["trials"]], [[], []], "failures")
    return f"{len(result['trials'])} trials"


@check(SECTION, "a server with another clock: one-way times with their error", seconds=120)
async def other_clock(server):
    probe = subprocess.run([*OTHER_CLOCK, "true"], capture_output=True, text=True)
    if probe.returncode != 0:
        return f"not here: {probe.stderr.strip()}"
    with Trials(server, OTHER_CLOCK) as trials:
        status, output, result = await run(
            server, "--target", trials.url(""), "--transports", "websocket")
    expect_equal(status, 0, f"exit status: {output[-900:]}")
    trial = result["trials"][0]
    told, delivery = trial["target"], trial["delivery"]
    expect_equal(told["clock"], "estimated", "clock")
    expect_equal(delivery["delivered"], delivery["expected"], "messages that came")
    expect("Clocks: one-way times are right up to ±" in output, "it did not say how right")
    # With a wrong offset of a thousand seconds nothing would be within a minute.
    expect(trial["latencyMicroseconds"]["max"] < 60e6, "latency", trial["latencyMicroseconds"]["max"])
    expect(
        told["errorMicroseconds"] >= told["roundTripMicroseconds"] / 2,
        "error", told["errorMicroseconds"])
    return f"±{told['errorMicroseconds']:.0f} µs"


@check(SECTION, "nginx that hides the server's trials: a sentence, and exit status 1", seconds=60)
async def hidden(server):
    with Nginx(server.port) as between:
        status, output, _ = await run(server, "--target", between.url(""))
    expect_equal(status, 1, "exit status")
    expect("does it run as triwire serve --trials" in output, "it said", output[-300:])
    return "told"
