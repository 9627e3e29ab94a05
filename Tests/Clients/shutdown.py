"""The last check: SIGTERM ends what is open in an orderly way, and the server with it."""

import time

import httpx
from httpx_sse import connect_sse
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from checks import check, expect, expect_equal

SECTION = "shutdown"


@check(SECTION, "SIGTERM drains: each client is told, and the exit status is 0")
def drains(server):
    with (
        httpx.Client(trust_env=False, timeout=10) as client,
        connect(server.url("/echo", "ws"), proxy=None) as socket,
        connect_sse(client, "GET", server.url("/topics/end"),
                    headers={"Last-Event-ID": "0"}) as source,
    ):
        server.publish("end", "before")
        events = source.iter_sse()
        expect_equal(next(events).event, "gap", "event for a position that never was")
        expect_equal(next(events).data, "before", "event before the end")
        began = time.monotonic()
        status = server.stop(15)
        took = time.monotonic() - began
        try:
            socket.recv(timeout=5)
            expect(False, "a message instead of the end")
        except ConnectionClosed as ended:
            expect(ended.rcvd is not None, "the WebSocket ended without a close frame")
            expect_equal(ended.rcvd.code, 1001, "close code")
        last = list(events)
        expect_equal([each.event for each in last], ["close"], "what ends the event stream")
        expect(last[0].data.startswith("1001"), last[0].data)
    expect_equal(status, 0, "exit status")
    return f"ended in {took:.2f} s with 1001 on both"
