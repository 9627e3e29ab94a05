"""Runs all checks of proxies against one `triwire serve`; started by the script `run` beside it."""

import argparse
import os
import pathlib
import signal
import sys

# What a check is, and the server as a process, are those of the clients that nobody here wrote.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Clients"))

import checks  # noqa: E402
from server import Server  # noqa: E402

# Importing a module enters its checks; they run in this order.
import right  # noqa: E402, F401
import wrong  # noqa: E402, F401
import idle  # noqa: E402, F401
import restarts  # noqa: E402, F401
import target  # noqa: E402, F401


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"{message}; see Tests/Proxies/run --help", file=sys.stderr)
        sys.exit(64)


def arguments():
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--triwire", required=True)
    parser.add_argument("--only", action="append", choices=checks.sections(), metavar="SECTION")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    chosen = checks.choose(options.only, browser=False)
    if options.list:
        for check in chosen:
            print(f"{check.section:13} {check.name}")
        return 0
    # Ctrl-C and a polite kill end what was started, by way of `with`.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with Server([os.path.abspath(options.triwire)]) as server:
        return checks.run(chosen, server)


if __name__ == "__main__":
    sys.exit(main())
