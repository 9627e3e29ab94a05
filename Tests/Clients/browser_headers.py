#!/usr/bin/env python3
"""Shows the request heads that Chromium sends with `new WebSocket`, EventSource and fetch.

    Tests/Clients/browser_headers.py [TRIWIRE]

They are what the header profile `browser2026` of scenarios sends
(Sources/TriwireBench/Scenario/HeaderProfile.swift). The page is of the server's own origin; between
the browser and `triwire serve` stands a relay that writes down what passes. Needs chromium and the
Python package websockets (Tests/Clients/requirements.txt).
"""

import socket
import sys
import threading

from browser_clients import Browser
from cutting_proxy import CuttingProxy
from server import Server

PAGE = """async () => {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/echo")
  await new Promise((open, fail) => { socket.onopen = open; socket.onerror = fail })
  socket.close()
  const events = new EventSource("/echo")
  await new Promise((open, fail) => { events.onopen = open; events.onerror = fail })
  events.close()
  await (await fetch("/reflect", { method: "GET", cache: "no-store" })).text()
  await (await fetch("/reflect", {
    method: "POST", body: "hello", headers: { "content-type": "text/plain" } })).text()
  return navigator.userAgent
}"""


class Recorder(CuttingProxy):
    """Relays, and keeps the heads of requests."""

    def __init__(self, target):
        super().__init__(target, [])
        self.heads = []

    def _relay(self, client):
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            down = threading.Thread(target=self._copy, args=(server, client), daemon=True)
            down.start()
            try:
                while data := client.recv(65536):
                    for part in data.split(b"\r\n\r\n"):
                        if b" HTTP/1.1\r\n" in part:
                            self.heads.append(part.decode("latin-1") + "\r\n\r\n")
                    server.sendall(data)
            except OSError:
                pass


def main():
    triwire = sys.argv[1] if len(sys.argv) > 1 else ".build/release/triwire"
    with Server([triwire]) as server, Recorder(server.port) as recorder, Browser() as browser:
        browser.run(f"http://127.0.0.1:{recorder.port}/healthz", PAGE)
        for head in recorder.heads:
            target = head.split(" ")[1]
            if target in ("/echo", "/reflect"):
                print(f"--- {len(head)} bytes\n{head}", end="")


main()
