"""Proxies that cut what is idle for 5 s: a session that says nothing for longer is cut once at
most, and then asks for heartbeats that keep it."""

import asyncio

from checks import check, expect, expect_equal
from client import play
from proxies import NGINX_RIGHT, HAProxy, Nginx

STEPS = ["send=100", "quiet=20", "send=100"]
NGINX_IDLE = NGINX_RIGHT.replace("1h", "5s") + "      send_timeout 5s;\n"


async def quiet(url, over):
    told = await play(url, *STEPS, over=over, within=90)
    told.must_be_exact(200)
    cuts = [each for each in told.all("attempt") if "ask for a heartbeat each" in each["next"]]
    expect(cuts, f"nothing was cut: the case is not real ({told.trace()})")
    expect_equal(len(cuts), 1, f"cuts of what was quiet ({told.trace()})")
    expect(len(told.recoveries) <= 1, f"it was lost again: {told.recoveries}")
    causes = {each["cause"] for each in told.recoveries}
    expect(all(causes), "the cause of a loss is not told")
    words = [f"{cuts[0]['outcome']}, then {cuts[0]['next']}", *sorted(causes)]
    return f"{told.figures()} ({'; '.join(words)})"


async def all_transports(proxy):
    """What the client chooses, and each transport alone; all at once, as each is mostly quiet."""
    with proxy:
        url = proxy.url("/echo")
        figures = await asyncio.gather(
            quiet(url, None), quiet(url, "websocket"), quiet(url, "sse"),
            quiet(url, "long-polling"))
    return "; ".join(["by choice: " + figures[0], *figures[1:]])


@check("idle", "nginx cuts what is idle for 5 s: 20 s of silence", 120)
async def nginx_idle(server):
    return await all_transports(Nginx(server.port, NGINX_IDLE))


@check("idle", "HAProxy cuts what is idle for 5 s: 20 s of silence", 120)
async def haproxy_idle(server):
    return await all_transports(HAProxy(server.port, seconds=5))
