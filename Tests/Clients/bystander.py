"""Those who do nothing wrong while others do."""

from websockets.sync.client import connect

from checks import expect, expect_equal

MEBIBYTE = 1 << 20
# What all the bad input together may cost the server, and what it may hold in all.
GROWTH, MOST = 64 * MEBIBYTE, 512 * MEBIBYTE


class Bystander:
    """A WebSocket that was open before, a health check, and an eye on the server's memory."""

    def __init__(self, server):
        self.server = server
        self.count = 0

    def __enter__(self):
        self.socket = connect(self.server.url("/echo", "ws"), proxy=None, open_timeout=10)
        self.served("at the beginning")
        self.memory = self.server.memory()
        return self

    def __exit__(self, *_):
        self.socket.close()

    def served(self, after):
        """Both still work, right now."""
        self.count += 1
        text = f"echo {self.count}"
        self.socket.send(text)
        expect_equal(self.socket.recv(timeout=10), text, f"open WebSocket after {after}")
        self.server.must_be_alive()
        self.server.must_be_healthy()

    def bounded_memory(self):
        now = self.server.memory()
        growth = now - self.memory
        expect(growth < GROWTH, f"memory grew by {growth / MEBIBYTE:.0f} MiB")
        expect(now < MOST, f"the server holds {now / MEBIBYTE:.0f} MiB")
        return f"the others were served {self.count} times, memory {growth / MEBIBYTE:+.1f} MiB"
