"""Our client (the program ProxyClient), and what it says of itself."""

import asyncio
import contextlib
import json
import os

from checks import Failure, expect, expect_equal

# A refusal that comes at once must not cost more; most of it is the machine's patience.
OPENING = 3000
PROXY_VARIABLES = ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY",
                   "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"]


class Told:
    """What the client has told so far, line by line."""

    def __init__(self):
        self.lines = []

    def all(self, event):
        return [line for line in self.lines if line["event"] == event]

    def one(self, event):
        found = self.all(event)
        if not found:
            raise Failure(f"our client told no \"{event}\": {self.lines[-3:]}")
        return found[-1]

    @property
    def transport(self):
        """The one that it has in the end."""
        return self.one("step")["transport"]

    @property
    def recoveries(self):
        return self.all("recovered")

    def trace(self):
        return "; ".join(
            f"{each['transport']}: {each['outcome']} ({each['milliseconds']:.0f} ms), "
            f"then {each.get('next', 'nothing')}" for each in self.all("attempt"))

    def must_say(self, transport, words):
        """An attempt with a transport has an outcome with these words."""
        found = [each["outcome"] for each in self.all("attempt") if each["transport"] == transport]
        expect(any(words in each for each in found),
               f"the trace does not say \"{words}\" of {transport}: {self.trace()}")

    def must_be_exact(self, count, gaps=0):
        end = self.one("end")
        kept = (end["came"], end["lost"], end["doubled"], end["disordered"], end["altered"])
        expect_equal(kept, (count, 0, 0, 0, 0),
                     f"echoes that came, and those lost, doubled, out of order and altered, of "
                     f"{count} (end {end['code']}; {self.trace()}; {self.recoveries})")
        expect_equal(end["sent"], count, "messages sent")
        expect_equal(end["code"], "1000", "close code")
        told = [each for each in self.recoveries if not each["recovered"]]
        expect_equal(len(told), gaps, f"recoveries that tell of a gap ({self.recoveries})")

    def must_open_on(self, transport, within=OPENING):
        first = self.one("open")
        expect_equal(first["transport"], transport, f"transport ({self.trace()})")
        expect(first["milliseconds"] < within,
               f"opening took {first['milliseconds']:.0f} ms, over {within}: {self.trace()}")

    def figures(self):
        end, first = self.one("end"), self.one("open")
        way = first["transport"] + (
            "" if self.transport == first["transport"] else f", {self.transport} in the end")
        comebacks = [each["milliseconds"] for each in self.recoveries if each["milliseconds"]]
        lost = (f", {len(comebacks)} connections lost, {max(comebacks):.0f} ms without one at most"
                if comebacks else "")
        return (f"{way}, open after {first['milliseconds']:.0f} ms, "
                f"{end['came']} of {end['sent']} echoed once and in order{lost}")


async def play(url, *steps, over=None, within=60, at="flowing", meanwhile=None):
    """Lets our client play; `meanwhile` runs when it first tells of the happening `at`."""
    words = [url, f"within={within}", *steps]
    if over:
        words.insert(1, f"over={over}")
    environment = {
        name: value for name, value in os.environ.items() if name not in PROXY_VARIABLES}
    environment["SWIFT_BACKTRACE"] = "enable=no"
    told = Told()
    process = await asyncio.create_subprocess_exec(
        os.environ["PROXY_CLIENT"], *words, env=environment, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE)
    try:
        async for line in process.stdout:
            told.lines.append(json.loads(line))
            if meanwhile and told.lines[-1]["event"] == at:
                await meanwhile()
                meanwhile = None
        await process.wait()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if told.all("failed"):
        raise Failure(f"our client failed: {told.one('failed')['why']}; {told.trace()}")
    return told
