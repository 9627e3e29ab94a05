"""Proxies that let less than everything through: the client ends on what works, and says why."""

from checks import check, expect, expect_equal
from client import play
from probes import STREAM, UPGRADE, answer, status
from proxies import HAPROXY_RIGHT, NGINX_RIGHT, HAProxy, Nginx

# WebSocket does not pass: what the other cases are about is then the next transport.
NO_UPGRADE = "      if ($http_upgrade) { return 403; }\n"


async def falls_back(proxy, transport, reasons, upgrade):
    """Our client opens on a transport, and its trace has words for each one before."""
    expect_equal(status(proxy, UPGRADE, "/echo"), upgrade, "answer to an upgrade through it")
    told = await play(proxy.url("/echo"), "send=200")
    told.must_open_on(transport)
    told.must_be_exact(200)
    expect_equal(told.transport, transport, "transport in the end")
    for name, words in reasons.items():
        told.must_say(name, words)
    return f"{told.figures()}; {told.trace()}"


@check("wrong", "nginx with proxy_pass alone, which strips Upgrade and speaks HTTP/1.0")
async def nginx_strips(server):
    with Nginx(server.port, location="") as proxy:
        return await falls_back(proxy, "sse", {"websocket": "426 Upgrade Required"}, 426)


@check("wrong", "nginx that speaks HTTP/1.1 and strips Upgrade")
async def nginx_strips_1_1(server):
    with Nginx(server.port, location="      proxy_http_version 1.1;\n") as proxy:
        return await falls_back(proxy, "sse", {"websocket": "426 Upgrade Required"}, 426)


@check("wrong", "HAProxy that strips Upgrade")
async def haproxy_strips(server):
    rule = "  http-request del-header Upgrade\n  http-request del-header Connection\n"
    with HAProxy(server.port, HAPROXY_RIGHT + rule) as proxy:
        return await falls_back(proxy, "sse", {"websocket": "426 Upgrade Required"}, 426)


@check("wrong", "nginx that refuses Upgrade with 403")
async def nginx_refuses(server):
    with Nginx(server.port, NO_UPGRADE + NGINX_RIGHT) as proxy:
        return await falls_back(proxy, "sse", {"websocket": "403 Forbidden"}, 403)


@check("wrong", "HAProxy that refuses Upgrade with 403")
async def haproxy_refuses(server):
    rule = "  http-request deny deny_status 403 if { hdr(Upgrade) -m found }\n"
    with HAProxy(server.port, HAPROXY_RIGHT + rule) as proxy:
        return await falls_back(proxy, "sse", {"websocket": "403 Forbidden"}, 403)


@check("wrong", "nginx that refuses Upgrade and event streams with 403")
async def nginx_refuses_both(server):
    rule = '      if ($http_accept ~ "text/event-stream") { return 403; }\n'
    with Nginx(server.port, NO_UPGRADE + rule + NGINX_RIGHT) as proxy:
        return await falls_back(
            proxy, "long-polling", {"websocket": "403 Forbidden", "sse": "403 Forbidden"}, 403)


@check("wrong", "nginx that buffers event streams of an HTTP/1.0 upstream, and holds them back")
async def nginx_buffers(server):
    location = NO_UPGRADE + """
      proxy_http_version 1.0;
      proxy_buffering on;
      proxy_ignore_headers X-Accel-Buffering;
"""
    with Nginx(server.port, location) as proxy:
        came = answer(proxy, STREAM, seconds=1, until=b"\n\n")
        expect(b"\n\n" not in came, "it does not hold events back:", came)
        told = await play(proxy.url("/echo"), "send=200")
    told.must_be_exact(200)
    expect_equal(told.transport, "long-polling", f"transport in the end ({told.trace()})")
    # Nothing refuses, so the next transport begins beside the silent one after 2 s. Its poll ends
    # the stream, and then all of it comes at once, which opens nothing.
    told.must_open_on("long-polling")
    told.must_say("websocket", "403 Forbidden")
    told.must_say("sse", "come late" if "come late" in told.trace() else "no answer yet")
    polling = [each for each in told.all("attempt")
               if (each["transport"], each["outcome"]) == ("long-polling", "open")]
    there = polling[0]["began"] + polling[0]["milliseconds"]
    expect(there < 5000, f"long polling opened after {there:.0f} ms, over 5000")
    return f"{told.figures()}, long polling open after {there:.0f} ms; {told.trace()}"


GZIP = """
      gzip on;
      gzip_http_version 1.0;
      gzip_proxied any;
      gzip_min_length 1;
      gzip_types *;
"""


@check("wrong", "nginx that gzips event streams for who asks for it: our client does not")
async def nginx_gzips_who_asks(server):
    with Nginx(server.port, NO_UPGRADE + GZIP + NGINX_RIGHT) as proxy:
        head = answer(proxy, STREAM + "Accept-Encoding: gzip\r\n").lower()
        expect(b"content-encoding: gzip" in head, "it does not gzip event streams:", head)
        return await falls_back(proxy, "sse", {"websocket": "403 Forbidden"}, 403)


def gzipping(types):
    """An nginx whose inner server gzips, and whose outer one asks it to."""
    inner = f"""
  server {{
    listen INNER;
    location / {{
      proxy_pass http://UPSTREAM;
{GZIP.replace("*", types)}{NGINX_RIGHT}    }}
  }}
"""
    outer = NO_UPGRADE + """
      proxy_pass http://INNER;
      proxy_set_header Accept-Encoding gzip;
""" + NGINX_RIGHT
    return {"location": outer, "servers": inner}


@check("wrong", "nginx that gzips event streams for who does not ask for it")
async def nginx_gzips_streams(server):
    with Nginx(server.port, **gzipping("text/event-stream")) as proxy:
        head = answer(proxy, STREAM).lower()
        expect(b"content-encoding: gzip" in head, "it does not gzip event streams:", head)
        return await falls_back(
            proxy, "long-polling", {"websocket": "403 Forbidden", "sse": "gzip"}, 403)


@check("wrong", "HAProxy without http-no-delay, which lets each event wait for 0.2 s: exact")
async def haproxy_delays(server):
    took = []
    for frontend in ["", HAPROXY_RIGHT]:
        with HAProxy(server.port, frontend) as proxy:
            told = await play(proxy.url("/echo"), "send=100", *["send=1"] * 10, over="sse")
            told.must_open_on("sse")
            told.must_be_exact(110)
            steps = told.all("step")
            took.append((steps[-1]["at"] - steps[0]["at"]) / 10)
    return f"an echo over sse takes {took[0]:.0f} ms, with the option {took[1]:.1f} ms"
