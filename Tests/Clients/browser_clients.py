"""`new WebSocket` and `EventSource` in headless Chromium, driven over its DevTools socket.

The pages are of the server's own origin (a tab at /healthz in which a script is run), so the
browser applies all of its rules.
"""

import json
import os
import signal
import subprocess
import tempfile
import threading

from websockets.sync.client import connect

from checks import Failure, check, expect, expect_equal
from cutting_proxy import CuttingProxy

SECTION = "browser"


class Browser:
    """A headless Chromium with one tab, ended with `with`."""

    def __enter__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="triwire-chromium-")
        sandbox = ["--no-sandbox"] if os.getuid() == 0 else []
        self.process = subprocess.Popen(
            ["chromium", "--headless", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--no-proxy-server", "--remote-debugging-port=0",
             f"--user-data-dir={self.profile.name}", *sandbox, "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, start_new_session=True)
        try:
            self.socket = connect(self._address(), proxy=None, max_size=64 << 20)
            self.last = 0
            targets = self._call("Target.getTargets")["targetInfos"]
            page = next(each for each in targets if each["type"] == "page")
            attached = self._call(
                "Target.attachToTarget", targetId=page["targetId"], flatten=True)
            self.tab = attached["sessionId"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # The browser and the processes it made are one group, which is of its number.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stderr.close()
        self.profile.cleanup()

    def _address(self):
        said = []
        for line in self.process.stderr:
            if line.startswith("DevTools listening on "):
                # What else it says is of no interest, but has to be taken.
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return line.split()[-1]
            said.append(line)
        raise Failure(f"chromium ended: {''.join(said)[-500:]}")

    def _call(self, method, tab=None, **parameters):
        self.last += 1
        request = {"id": self.last, "method": method, "params": parameters}
        if tab:
            request["sessionId"] = tab
        self.socket.send(json.dumps(request))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.last:
                expect("error" not in answer, method, answer.get("error"))
                return answer["result"]

    def run(self, url, script):
        """Goes to a page and runs a script in it; returns what its promise gives."""
        self._call("Page.enable", self.tab)
        self._call("Page.navigate", self.tab, url=url)
        while json.loads(self.socket.recv()).get("method") != "Page.loadEventFired":
            pass
        done = self._call(
            "Runtime.evaluate", self.tab, expression=f"({script})()", awaitPromise=True,
            returnByValue=True)
        if "exceptionDetails" in done:
            raise Failure(done["exceptionDetails"]["exception"].get("description"))
        return done["result"]["value"]


WEBSOCKET = """async () => {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/echo")
  socket.binaryType = "arraybuffer"
  await new Promise((open, fail) => { socket.onopen = open; socket.onerror = fail })
  const sizes = [0, 1, 125, 126, 127, 65535, 65536, 1 << 20]
  const sent = []
  for (let turn = 0; turn < 50; turn++) {
    const size = turn < 8 ? sizes[turn] : Math.floor(50000 * Math.random())
    sent.push("ж".repeat(size / 2) + (size % 2 ? "x" : ""))
    sent.push(new Uint8Array(size).map((_, at) => at * turn))
  }
  const same = (one, other) => typeof one == "string" ? one === other
    : other instanceof ArrayBuffer && one.length === other.byteLength
      && new Uint8Array(other).every((byte, at) => byte === one[at])
  let received = 0
  const all = new Promise((done, fail) => {
    socket.onmessage = event => {
      if (!same(sent[received], event.data)) fail(new Error("echo " + received + " differs"))
      if (++received === sent.length) done()
    }
    socket.onclose = event => fail(new Error("closed with " + event.code))
  })
  sent.forEach(message => socket.send(message))
  await all
  const closed = new Promise(done => socket.onclose = done)
  socket.close(3456, "enough")
  const event = await closed
  return [received, event.code, event.wasClean, socket.extensions]
}"""

EVENT_SOURCE = """async () => {
  const count = COUNT, got = []
  let opened = 0, wake = () => {}
  const source = new EventSource("/topics/browser")
  await new Promise((done, fail) => {
    source.onopen = () => { if (++opened === 1) publish() }
    source.onmessage = event => {
      got.push([event.lastEventId, event.data])
      wake()
      if (got.length === count) done()
    }
    async function publish() {
      for (let number = 1; number <= count; number++) {
        // Never more ahead than the topic keeps for those who come back.
        while (number - got.length > 500) await new Promise(done => wake = done)
        const body = "message " + number + "\\nand a second line"
        const answer = await fetch("/topics/browser", { method: "POST", body })
        if (answer.status !== 202) fail(new Error("POST: " + answer.status))
        await answer.text()
      }
    }
  })
  source.close()
  return [opened, got]
}"""

LONG_POLL = """async () => {
  const got = []
  let answer = await fetch("/echo?wait=0&session=browser-polling"), cursor
  const posts = (async () => {
    for (let number = 0; number < 100; number++) {
      await fetch("/echo?session=browser-polling", { method: "POST", body: "message " + number })
    }
  })()
  while (got.length < 100) {
    cursor = answer.headers.get("triwire-cursor")
    answer = await fetch("/echo?cursor=" + cursor)
    if (answer.status === 200) got.push(...await answer.json())
  }
  await posts
  return got
}"""


@check(SECTION, "Chromium: WebSocket echo, text and binary, 0 B to 1 MiB, and its close", 60)
def websocket(server):
    with Browser() as browser:
        count, code, is_clean, extensions = browser.run(server.url("/healthz"), WEBSOCKET)
    expect_equal((count, code, is_clean, extensions), (100, 3456, True, ""), "outcome")
    return f"{count} echoes compared, closed cleanly with {code}"


@check(SECTION, "Chromium: EventSource reconnects by itself and loses nothing", 90)
def event_source(server):
    count, cuts = 2000, [20_000, 30_000]
    with CuttingProxy(server.port, cuts) as proxy, Browser() as browser:
        page = f"http://127.0.0.1:{proxy.port}/healthz"
        opened, got = browser.run(page, EVENT_SOURCE.replace("COUNT", str(count)))
    wanted = [[str(n), f"message {n}\nand a second line"] for n in range(1, count + 1)]
    expect_equal(len(got), count, "events")
    expect_equal(got, wanted, "events")
    expect_equal(opened, len(cuts) + 1, "times the stream opened")
    return f"{count:,} events, {opened} connections: 0 lost, 0 doubled"


@check(SECTION, "Chromium: long polling with fetch", 60)
def long_poll(server):
    with Browser() as browser:
        got = browser.run(server.url("/healthz"), LONG_POLL)
    expect_equal(got, [f"message {number}" for number in range(100)], "messages")
    return f"{len(got)} messages"
