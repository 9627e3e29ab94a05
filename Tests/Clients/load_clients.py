"""Load by `wrk`: not for its figures, but that nothing fails under it."""

import re
import subprocess

from checks import check, expect

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
