"""Load by `wrk`: not for its figures, but that nothing fails under it."""

import random
import re
import subprocess
import tempfile

import httpx
from httpx_sse import connect_sse

from checks import check, expect, number_of
from raw_http import RawConnection

SECTION = "load"


@check(SECTION, "wrk: 100 connections on /healthz for 3 s")
def wrk(server):
    done = subprocess.run(
        ["wrk", "-t1", "-c100", "-d3s", "--latency", server.url("/healthz")],
        capture_output=True, text=True, timeout=25)
    told = done.stdout + done.stderr
    expect(done.returncode == 0, told)
    expect("Socket errors" not in told, told)
    expect("Non-2xx" not in told, told)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", told)[1])
    requests = int(re.search(r"(\d+) requests in", told)[1])
    p99 = re.search(r"99%\s+(\S+)", told)[1]
    expect(requests > 1000, told)
    return f"{requests:,} requests, {rate:,.0f}/s, p99 {p99}, no socket errors, all 2xx"


@check(SECTION, "wrk publishes while a subscriber comes and goes: no gap in any visit", 40)
def visits(server):
    draw = random.Random(13)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write('wrk.method = "POST"\nwrk.body = "x"\n')
        script.flush()
        publisher = subprocess.Popen(
            ["wrk", "-t1", "-c4", "-d6s", "-s", script.name, server.url("/topics/visits")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            count = events = last = 0
            position = b"0"
            while publisher.poll() is None:
                positions = visit(server, position, draw.randint(1, 30))
                ids = [number_of(each.decode()) for each in positions]
                for before, after in zip(ids, ids[1:]):
                    expect(after == before + 1, f"visit {count}: {after} after {before}")
                if ids:
                    # Between visits the topic may have moved on by more than it keeps.
                    expect(ids[0] > last, f"visit {count}: {ids[0]} again")
                    last, position = ids[-1], positions[-1]
                count, events = count + 1, events + len(ids)
        finally:
            publisher.kill()
            publisher.wait()
    expect(count > 100, f"only {count} visits")
    return f"{count:,} visits, {events:,} of {last:,} events seen, each visit without a gap"


def visit(server, last, wanted):
    """Subscribes, reads so many events after what may have been missed, and leaves; the ids it saw."""
    with RawConnection(server, 2) as connection:
        connection.send(
            b"GET /topics/visits HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n"
            b"Last-Event-ID: " + last + b"\r\n\r\n")
        data = b""
        try:
            while data.count(b"id: ") < wanted + 1000:
                data += connection.socket.recv(65536)
        except TimeoutError:
            # The last visit, when nothing more is published.
            pass
    return re.findall(rb"id: (\S+)\ndata: ", data)
