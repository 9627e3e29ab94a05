"""Proxies that cut what is idle for 5 s: a session that says nothing for longer lives on."""

import asyncio

from checks import check, expect
from client import play
from proxies import NGINX_RIGHT, HAProxy, Nginx

STEPS = ["send=100", "quiet=12", "send=100"]
NGINX_IDLE = NGINX_RIGHT.replace("1h", "5s") + "      send_timeout 5s;\n"


async def quiet(url, over):
    told = await play(url, *STEPS, over=over, within=90)
    told.must_be_exact(200)
    expect(told.recoveries, "nothing was cut: the case is not real")
    causes = {each["cause"] for each in told.recoveries}
    expect(all(causes), "the cause of a loss is not told")
    return f"{told.figures()} ({', '.join(sorted(causes))})"


async def all_transports(proxy):
    """What the client chooses, and each transport alone; all at once, as each is mostly quiet."""
    with proxy:
        url = proxy.url("/echo")
        figures = await asyncio.gather(
            quiet(url, None), quiet(url, "websocket"), quiet(url, "sse"),
            quiet(url, "long-polling"))
    return "; ".join(["by choice: " + figures[0], *figures[1:]])


@check("idle", "nginx cuts what is idle for 5 s: 12 s of silence", 120)
async def nginx_idle(server):
    return await all_transports(Nginx(server.port, NGINX_IDLE))


@check("idle", "HAProxy cuts what is idle for 5 s: 12 s of silence", 120)
async def haproxy_idle(server):
    return await all_transports(HAProxy(server.port, seconds=5))
