"""Server-Sent Events and long polling by `httpx-sse` and `aiohttp`."""

import asyncio
import base64
import random
import threading

import aiohttp
import httpx
from httpx_sse import aconnect_sse, connect_sse

from checks import Failure, check, expect, expect_equal, number_of
from workload import byte_count, messages

SECTION = "events"


class Publisher:
    """Posts numbered messages, never more than the topic keeps ahead of the slowest subscriber."""

    AHEAD = 500

    def __init__(self, client, url, count, seen):
        self.client, self.url, self.count, self.seen = client, url, count, seen
        self.progress = asyncio.Event()

    async def run(self):
        for number in range(1, self.count + 1):
            while number - min(self.seen) > self.AHEAD:
                self.progress.clear()
                await self.progress.wait()
            response = await self.client.post(self.url, content=f"message {number}")
            expect_equal(response.status_code, 202, "POST")
            expect_equal(number_of(response.text.rstrip("\n")), number, "POST")


@check(SECTION, "httpx-sse: reconnects with Last-Event-ID lose nothing, get nothing twice", 90)
async def reconnects(server):
    url, count, subscribers = server.url("/topics/reconnect"), 3000, 4
    seen = [0] * subscribers
    connections = [0] * subscribers
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(trust_env=False, timeout=20, limits=limits) as client:
        publisher = Publisher(client, url, count, seen)

        async def subscribe(index):
            draw = random.Random(100 + index)
            last = "0"
            while seen[index] < count:
                cut = draw.choice([1, 2, 5, draw.randint(1, 100)])
                connections[index] += 1
                async with aconnect_sse(
                    client, "GET", url, headers={"Last-Event-ID": last}) as source:
                    async for event in source.aiter_sse():
                        if event.event == "gap":
                            # Nothing was seen before, and "0" is no position of this server.
                            expect_equal(last, "0", f"a gap for subscriber {index} after")
                            last = event.id
                            continue
                        # An order, a loss and a double all break this count.
                        wanted = (seen[index] + 1, f"message {seen[index] + 1}")
                        expect_equal(
                            (number_of(event.id), event.data), wanted, f"subscriber {index}")
                        seen[index] += 1
                        publisher.progress.set()
                        last = event.id
                        cut -= 1
                        if cut == 0 or seen[index] == count:
                            break

        async with asyncio.TaskGroup() as group:
            for index in range(subscribers):
                group.create_task(subscribe(index))
            group.create_task(publisher.run())
    return (f"{subscribers} subscribers, {count:,} messages each, "
            f"{sum(connections) - subscribers:,} reconnects: 0 lost, 0 doubled")


@check(SECTION, "httpx-sse: a client that was away for all of the history gets what is kept")
def history(server):
    for number in range(1, 1201):
        server.publish("history", f"message {number}")
    with httpx.Client(trust_env=False, timeout=20) as client:
        with connect_sse(client, "GET", server.url("/topics/history"),
                         headers={"Last-Event-ID": "0"}) as source:
            events = source.iter_sse()
            gap, first = next(events), next(events)
    number = number_of(first.id)
    expect_equal((gap.event, gap.data), ("gap", "history"), "what comes before the first event")
    expect_equal(number_of(gap.id), number - 1, "where the gap ends")
    expect(1 < number <= 1200, "first event", first.id)
    expect_equal(first.data, f"message {number}", "data of the first event")
    return f"1,200 published, {1201 - number:,} kept, the rest told as a gap"


@check(SECTION, "aiohttp: text with every line break, and bytes, over an event stream")
async def payloads(server):
    sent = ["", " ", "one", " leading", "a\nb", "a\n\nb", "\n", "\n\n", "a\r\nb", "a\rb", "a\r",
            "data: x", "id: 7\n\nevent: close\ndata: x", ":", "é漢🚲", "a\0b", "\ufeffbom",
            b"", b"\0\1\2\xff", bytes(range(256))]
    async with aiohttp.ClientSession() as session:
        headers = {"accept": "text/event-stream"}
        async with session.get(server.url("/topics/payloads"), headers=headers) as response:
            expect_equal(response.status, 200, "status")
            expect_equal(response.content_type, "text/event-stream", "content type")
            # The first comment says that the subscription stands.
            expect_equal(await response.content.readline(), b": \n", "first bytes")
            await asyncio.to_thread(publish_all, server, "payloads", sent)
            for number, message in enumerate(sent, 1):
                fields = await read_event(response.content)
                expect_equal(number_of(fields.get("id")), number, f"id of event {number}")
                expect_equal(payload(fields), normalised(message), f"event {number}")
    return f"{len(sent)} messages"


def publish_all(server, topic, sent):
    for message in sent:
        server.publish(topic, message)


async def read_event(stream):
    """One event by the rules of WHATWG HTML §9.2.6, line ends being LF here."""
    fields = {}
    while True:
        line = (await stream.readuntil(b"\n"))[:-1].decode()
        if not line and fields:
            return fields
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data" and "data" in fields:
            fields["data"] += "\n" + value
        elif name:
            fields[name] = value


def payload(fields):
    """What an event says: text, or bytes when its type is "binary"."""
    if fields.get("event") == "binary":
        return base64.b64decode(fields["data"])
    expect_equal(fields.get("event"), None, "type of a text event")
    return fields["data"]


def normalised(message):
    """An event stream turns CR and CRLF into LF."""
    if isinstance(message, bytes):
        return message
    return message.replace("\r\n", "\n").replace("\r", "\n")


@check(SECTION, "aiohttp: echo over an event stream and POST", 60)
async def event_stream_echo(server):
    sent = list(messages(500, seed=7, largest=100_000))
    async with aiohttp.ClientSession(read_bufsize=1 << 21) as session:
        url = server.url("/echo?session=aiohttp-events")
        async with session.get(url, headers={"accept": "text/event-stream"}) as response:
            await response.content.readuntil(b"\n\n")

            async def receive():
                for number, message in enumerate(sent, 1):
                    fields = await read_event(response.content)
                    expect_equal(payload(fields), normalised(message), f"echo {number}")

            async with asyncio.TaskGroup() as group:
                group.create_task(receive())
                group.create_task(post_all(session, url, sent))
            async with session.delete(url) as deleted:
                expect_equal(deleted.status, 204, "DELETE")
            expect_equal(await response.content.read(), b"", "after the session's end")
    size = sum(map(byte_count, sent))
    return f"{len(sent)} messages, {size / 1e6:.1f} MB each way"


async def post_all(session, url, sent):
    """Sends messages upwards, one POST each."""
    for message in sent:
        is_text = isinstance(message, str)
        kind = "text/plain" if is_text else "application/octet-stream"
        data = message.encode() if is_text else message
        async with session.post(url, data=data, headers={"content-type": kind}) as response:
            expect_equal(response.status, 204, "status of a POST")


class Poller:
    """Follows a long-polling session as a client that knows JSON and one header field."""

    def __init__(self, session, url):
        self.session, self.url, self.cursor = session, url, None
        self.polls = 0

    async def poll(self, **query):
        """One poll: its status and its messages. Goes on from the last cursor."""
        if self.cursor:
            query["cursor"] = self.cursor
        self.polls += 1
        async with self.session.get(self.url, params=query) as response:
            if response.status in (200, 204):
                self.cursor = response.headers["triwire-cursor"]
            if response.status != 200:
                return response.status, []
            expect_equal(response.content_type, "application/json", "content type")
            return 200, [self.message(each) for each in await response.json()]

    @staticmethod
    def message(element):
        if isinstance(element, str):
            return element
        return base64.b64decode(element["base64"])


@check(SECTION, "aiohttp: echo over long polling and POST, text and binary", 60)
async def long_poll_echo(server):
    sent = list(messages(500, seed=8, largest=100_000))
    async with aiohttp.ClientSession() as session:
        url = server.url("/echo?session=aiohttp-polling")
        poller = Poller(session, url)
        # `wait=0`: the session opens and the first poll is answered at once.
        expect_equal(await poller.poll(wait=0), (204, []), "first poll")
        got = []

        async def receive():
            while len(got) < len(sent):
                got.extend((await poller.poll())[1])

        async with asyncio.TaskGroup() as group:
            group.create_task(receive())
            group.create_task(post_all(session, url, sent))
        expect_equal(len(got), len(sent), "echoes")
        for number, (one, other) in enumerate(zip(got, sent), 1):
            expect_equal(one, other, f"echo {number}")
    return f"{len(sent)} messages in {poller.polls} polls"


@check(SECTION, "aiohttp: a poll whose answer was lost is repeated, and loses nothing")
async def lost_answers(server):
    draw = random.Random(9)
    count = 300
    async with aiohttp.ClientSession() as session:
        poller = Poller(session, server.url("/topics/lost-answers"))
        await poller.poll(wait=0)
        publisher = threading.Thread(
            target=publish_all, daemon=True,
            args=(server, "lost-answers", [f"message {n}" for n in range(1, count + 1)]))
        publisher.start()
        got, repeated = [], 0
        while len(got) < count:
            before = poller.cursor
            _, batch = await poller.poll()
            if draw.random() < 0.5:
                # As if the answer had not come: the old cursor gives the same and perhaps more.
                poller.cursor = before
                repeated += 1
                _, again = await poller.poll()
                expect_equal(again[: len(batch)], batch, "repeated poll")
                batch = again
            got += batch
        publisher.join()
    expect_equal(got, [f"message {n}" for n in range(1, count + 1)], "messages")
    return f"{count} messages, {repeated} of {poller.polls - repeated - 1} answers asked for again"


@check(SECTION, "aiohttp: a newer poll ends an older one; a poll that was given up costs nothing")
async def overlapping_polls(server):
    async with aiohttp.ClientSession() as session:
        older = Poller(session, server.url("/topics/overlap"))
        await older.poll(wait=0)
        newer = Poller(session, older.url)
        newer.cursor = older.cursor
        for turn in range(20):
            held = asyncio.create_task(older.poll())
            given_up = asyncio.create_task(newer.poll())
            done, _ = await asyncio.wait([held, given_up], return_when=asyncio.FIRST_COMPLETED)
            # Whichever reached the server first is the older one.
            expect_equal(done.pop().result(), (204, []), "the older poll")
            for task in (held, given_up):
                task.cancel()
            await asyncio.gather(held, given_up, return_exceptions=True)
            await asyncio.to_thread(server.publish, "overlap", f"turn {turn}")
            expect_equal(await newer.poll(), (200, [f"turn {turn}"]), "poll after both")
            older.cursor = newer.cursor
    return "20 pairs"


@check(SECTION, "one topic, subscribers on every transport, the same messages", 60)
async def every_transport(server):
    count = 400
    sent = [f"message {n}" for n in range(count)]
    ready = asyncio.Barrier(4)
    async with aiohttp.ClientSession() as session:
        url = server.url("/topics/every")

        async def by_websocket():
            async with session.ws_connect(url) as socket:
                await ready.wait()
                return [await socket.receive_str() for _ in range(count)]

        async def by_event_stream():
            async with session.get(url, headers={"accept": "text/event-stream"}) as response:
                await response.content.readuntil(b"\n\n")
                await ready.wait()
                return [(await read_event(response.content))["data"] for _ in range(count)]

        async def by_long_polling():
            poller = Poller(session, url)
            await poller.poll(wait=0)
            await ready.wait()
            got = []
            while len(got) < count:
                got += (await poller.poll())[1]
            return got

        async def publish():
            await ready.wait()
            await asyncio.to_thread(publish_all, server, "every", sent)

        kinds = [by_websocket(), by_event_stream(), by_long_polling()]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(kind) for kind in kinds]
            group.create_task(publish())
    for task in tasks:
        if task.result() != sent:
            raise Failure(f"{task.get_coro().__name__}: {task.result()[:5]}…")
    return f"{count} messages to 3 subscribers"
