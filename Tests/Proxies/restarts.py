"""Proxies that go away and come back while messages flow."""

import asyncio
import contextlib
import signal

from checks import check, expect, expect_equal
from client import play
from proxies import HAProxy, Nginx
from right import TRANSPORTS
from server import Server


async def through(proxy, shock):
    """Messages flow over each transport while something befalls the proxy."""
    figures = []
    with proxy:
        for transport in TRANSPORTS:
            told = await play(
                proxy.url("/echo"), "flow=400", "send=100", over=transport,
                meanwhile=lambda: shock(proxy))
            told.must_be_exact(500)
            expect(told.recoveries or transport == "long-polling", "no connection was lost")
            figures.append(told.figures())
    return "; ".join(figures)


async def reload(proxy):
    proxy.reload()


async def kill(proxy):
    proxy.end(signal.SIGKILL)
    await asyncio.sleep(1)
    expect(proxy.start(), "it does not come back:", proxy.last_words())


@check("restarts", "nginx is reloaded, and cuts what its old workers still carry", 120)
async def nginx_reloaded(server):
    return await through(Nginx(server.port), reload)


@check("restarts", "nginx is killed, and is back after a second", 120)
async def nginx_killed(server):
    return await through(Nginx(server.port), kill)


@check("restarts", "HAProxy is killed, and is back after a second", 120)
async def haproxy_killed(server):
    return await through(HAProxy(server.port), kill)


@check(
    "restarts", "the server behind nginx is killed and back after a second: told, none blamed", 120)
async def server_killed(server):
    figures = []
    with contextlib.ExitStack() as servers:
        mine = [servers.enter_context(Server([server.command[0]]))]
        with Nginx(mine[0].port) as proxy:

            async def kill():
                mine[-1].process.kill()
                mine[-1].process.wait()
                await asyncio.sleep(1)
                mine.append(servers.enter_context(Server([server.command[0]], mine[0].port)))

            for over in [None, *TRANSPORTS]:
                # The gap is told before anything is said again.
                told = await play(
                    proxy.url("/echo"), "send=100", "quiet=8", "send=100", over=over, at="step",
                    meanwhile=kill)
                told.must_be_exact(200, gaps=1)
                told.must_say(over or "websocket", "502 Bad Gateway")
                expect_equal(told.transport, over or "websocket", "transport in the end")
                figures.append(told.figures())
    return "; ".join(figures)
