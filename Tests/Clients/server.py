"""`triwire serve` as a process of its own."""

import http.client
import os
import re
import signal
import socket
import subprocess
import threading

from checks import Failure, expect, expect_equal


class Server:
    """Started by `with`, and ended with it."""

    def __init__(self, command, port=0):
        self.command = command + ["serve", "--listen", f"127.0.0.1:{port}"]
        self.lines = []
        self.is_stopped = False

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True)
        self.pid = self.process.pid
        self.found = threading.Event()
        self.port = None
        threading.Thread(target=self._read, daemon=True).start()
        if not self.found.wait(20) or self.port is None:
            self.__exit__()
            raise SystemExit(f"{' '.join(self.command)} printed no address: {self.lines}")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            match = re.search(r"127\.0\.0\.1:(\d+)", line)
            if match and self.port is None:
                self.port = int(match[1])
                self.found.set()
        self.found.set()

    def url(self, path, scheme="http"):
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def connect(self, seconds=10):
        """A bare TCP connection."""
        return socket.create_connection(("127.0.0.1", self.port), seconds)

    def request(self, method, path, body=None, headers=None):
        """One request on a connection of its own: status, header fields, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def publish(self, topic, message):
        """Publishes text or bytes; returns its position in the topic."""
        is_text = isinstance(message, str)
        kind = "text/plain; charset=utf-8" if is_text else "application/octet-stream"
        body = message.encode() if is_text else message
        status, _, answer = self.request("POST", f"/topics/{topic}", body, {"content-type": kind})
        expect_equal(status, 202, "status of a publication")
        return answer.decode().rstrip("\n")

    def must_be_healthy(self):
        status, _, body = self.request("GET", "/healthz")
        expect_equal((status, body), (200, b"ok\n"), "health check")

    def must_be_alive(self):
        if self.is_stopped:
            return
        status = self.process.poll()
        if status is not None:
            raise Failure(f"the server has ended with status {status}")

    def memory(self):
        """Resident bytes now."""
        return self._status("VmRSS")

    def peak_memory(self):
        return self.peak if self.is_stopped else self._status("VmHWM")

    def _status(self, field):
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1]) * 1024
        raise Failure(f"no {field} in the server's status")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def stop(self, seconds):
        """Asks the server to end, and returns its exit status."""
        self.peak = self.peak_memory()
        self.is_stopped = True
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"still running {seconds} s after SIGTERM") from None
