"""What storm and upgrades share: a server, and the program Crowd beside it.

The program is `.build/release/Crowd` of this project, or what the environment variable CROWD names.
"""

import json
import os
import pathlib
import re
import resource
import select
import subprocess
import time

import figures


def program():
    path = os.environ.get("CROWD", str(figures.ROOT / ".build/release/Crowd"))
    if not os.access(path, os.X_OK):
        raise figures.Failure(
            f"there is no {path}: run swift build -c release --product Crowd, or set CROWD")
    return path


def need_descriptors(count):
    """Each process of the script may open as many."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < count:
        raise figures.Failure(f"{count} descriptors are needed, the hard limit is {hard}")


class Child:
    """A process whose lines are read with a deadline; started by `with`, and ended with it."""

    def __init__(self, *words):
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            env={**os.environ, "SWIFT_BACKTRACE": "enable=no"})
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process.stdout.close()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def line(self, seconds):
        """The next line."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.rest:
            ready, _, _ = select.select(
                [self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise figures.Failure(f"{self.name()} said nothing for {seconds} s")
            piece = os.read(self.process.stdout.fileno(), 65536)
            if not piece:
                raise figures.Failure(f"{self.name()} has ended with {self.process.wait()}")
            self.rest += piece
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def name(self):
        return pathlib.Path(self.process.args[0]).name

    def event(self, name, seconds):
        """The next happening, which has to be this one."""
        told = json.loads(self.line(seconds))
        if told["event"] != name:
            raise figures.Failure(f"{self.name()} told {told} instead of {name}")
        return told


def serve(port=0):
    """`triwire serve` on a port; it has to be used with `with`."""
    return Child(figures.command(), "serve", "--listen", f"127.0.0.1:{port}")


def address(server):
    line = server.line(20)
    found = re.search(r"127\.0\.0\.1:\d+", line)
    if not found:
        raise figures.Failure(f"triwire serve printed no address: {line!r}")
    return found[0]


def verdict(flaws):
    """Fails with whichever of the flaws, sentence by sentence, is true."""
    found = [sentence for sentence, is_true in flaws.items() if is_true]
    if found:
        raise figures.Failure("; ".join(found))
