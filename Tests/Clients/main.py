"""Runs all checks against one `triwire serve`; started by the script `run` beside it."""

import argparse
import os
import signal
import sys

import checks
from server import Server

# Importing a module enters its checks; they run in this order.
import websocket_clients  # noqa: F401
import deflate_clients  # noqa: F401
import http_clients  # noqa: F401
import event_stream_clients  # noqa: F401
import curl_clients  # noqa: F401
import load_clients  # noqa: F401
import histograms  # noqa: F401
import real_servers  # noqa: F401
import foreign_servers  # noqa: F401
import bad_http  # noqa: F401
import bad_websocket  # noqa: F401
import bad_sessions  # noqa: F401
import browser_clients  # noqa: F401
import shutdown  # noqa: F401


class Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"{message}; see Tests/Clients/run --help", file=sys.stderr)
        sys.exit(64)


def arguments():
    parser = Parser(add_help=False, allow_abbrev=False)
    parser.add_argument("--triwire", required=True)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--only", action="append", choices=checks.sections(), metavar="SECTION")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def main():
    options = arguments()
    chosen = checks.choose(options.only, options.browser)
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
