"""Proxies that are configured as their own documentation asks: everything passes."""

from checks import check, expect_equal
from client import play
from probes import UPGRADE, status
from proxies import HAProxy, Nginx

TRANSPORTS = ["websocket", "sse", "long-polling"]


async def best(proxy):
    with proxy:
        expect_equal(status(proxy, UPGRADE, "/echo"), 101, "answer to an upgrade through it")
        told = await play(proxy.url("/echo"), "send=200")
        told.must_open_on("websocket")
        told.must_be_exact(200)
        expect_equal(told.recoveries, [], "connections lost")
        return told.figures()


async def alone(proxy):
    figures = []
    with proxy:
        for transport in TRANSPORTS:
            told = await play(proxy.url("/echo"), "send=200", over=transport)
            told.must_open_on(transport)
            told.must_be_exact(200)
            expect_equal(told.recoveries, [], f"connections of {transport} lost")
            figures.append(f"{transport} open after {told.one('open')['milliseconds']:.0f} ms")
    return ", ".join(figures) + "; 200 of 200 echoed once and in order over each"


@check("right", "nginx as documented: WebSocket")
async def nginx_right(server):
    return await best(Nginx(server.port))


@check("right", "HAProxy as documented: WebSocket")
async def haproxy_right(server):
    return await best(HAProxy(server.port))


@check("right", "nginx as documented: each transport alone")
async def nginx_each(server):
    return await alone(Nginx(server.port))


@check("right", "HAProxy as documented: each transport alone")
async def haproxy_each(server):
    return await alone(HAProxy(server.port))
