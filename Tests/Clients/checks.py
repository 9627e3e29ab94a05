"""What a check is, and the one that runs them all: one line each, every wait bounded."""

import asyncio
import inspect
import re
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Callable


@dataclass
class Check:
    section: str
    name: str
    seconds: float
    body: Callable


REGISTERED: list[Check] = []


class Failure(Exception):
    """What a client saw was not what it had to see."""


class TookTooLong(BaseException):
    """The time of a check is over. Not an `Exception`, so that no client library swallows it."""


def check(section, name, seconds=30):
    """Enters a function as a check: it takes the server, returns its figures, raises to fail."""

    def enter(body):
        REGISTERED.append(Check(section, name, seconds, body))
        return body

    return enter


def expect(condition, *what):
    if not condition:
        raise Failure(" ".join(str(each) for each in what))


def expect_equal(got, wanted, what):
    if got != wanted:
        raise Failure(f"{what}: got {shortened(got)}, wanted {shortened(wanted)}")


def number_of(position):
    """The number in a position of a topic, EPOCH.NUMBER, which only a test looks into."""
    parts = re.fullmatch(r"[A-Za-z0-9_-]{8}\.([0-9]+)", position or "")
    expect(parts, f"{shortened(position)} is no position")
    return int(parts[1])


def shortened(value):
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}… ({len(text)} characters)"


def sections():
    return list(dict.fromkeys(each.section for each in REGISTERED))


def choose(only, browser):
    wanted = only or [each for each in sections() if browser or each != "browser"]
    return [each for each in REGISTERED if each.section in wanted]


def run(chosen, server):
    """Runs checks one after the other; returns the exit status."""
    failed = []
    began = time.monotonic()
    for each in chosen:
        if not run_one(each, server):
            failed.append(each)
    took = time.monotonic() - began
    memory = f"server {server.peak_memory() / 2**20:.0f} MiB at its peak"
    print(f"{len(chosen)} checks, {len(failed)} failed, {took:.0f} s, {memory}")
    if failed and server.lines:
        print("the server's last lines:", *server.lines[-20:], sep="\n  ")
    return 1 if failed else 0


def run_one(each, server):
    began = time.monotonic()
    try:
        server.must_be_alive()
        figures = bounded(each, server)
        server.must_be_alive()
        verdict = "PASS"
    except (Exception, TookTooLong) as error:
        verdict, figures = "FAIL", explain(error)
    took = time.monotonic() - began
    print(f"{verdict}  {each.section:13} {each.name}: {figures} ({took:.1f} s)", flush=True)
    return verdict == "PASS"


def bounded(each, server):
    def over(*_):
        raise TookTooLong(f"not done after {each.seconds} s")

    signal.signal(signal.SIGALRM, over)
    # Rings again, in case a client's cleaning up hangs as well.
    signal.setitimer(signal.ITIMER_REAL, each.seconds, 5)
    try:
        if inspect.iscoroutinefunction(each.body):
            return asyncio.run(each.body(server))
        return each.body(server)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def explain(error):
    """An error and where it came up, in one line."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(explain(inner) for inner in error.exceptions)
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/Tests/" in frame.filename]
    place = f" [{ours[-1].filename.rsplit('/', 1)[1]}:{ours[-1].lineno}]" if ours else ""
    print_trace = not isinstance(error, (Failure, TookTooLong))
    if print_trace:
        traceback.print_exception(error, limit=-4, file=sys.stderr)
    return f"{type(error).__name__}: {error}{place}"
