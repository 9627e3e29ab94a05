"""Debian's nginx and HAProxy in the foreground, each with its own configuration and folder."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from checks import Failure


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Proxy:
    """Started by `with`, and ended with it; keeps its port when it is started again."""

    program = ""

    def __init__(self, upstream):
        self.upstream = upstream
        self.process = None

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="triwire-proxies-")
        # Workers that run as another user than root have to get at it.
        os.chmod(self.folder.name, 0o711)
        for _ in range(5):
            self.port = free_port()
            self.write_configuration()
            # Somebody else may have taken the port since.
            if self.start():
                return self
        self.__exit__()
        raise Failure(f"{self.program} does not start: {self.last_words()}")

    def __exit__(self, *_):
        self.end(signal.SIGTERM)
        self.folder.cleanup()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def start(self):
        """Starts it; returns whether it listens."""
        program = shutil.which(self.program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        if not program:
            raise Failure(f"{self.program} is not installed: run Tests/Proxies/run")
        with open(self.path("output"), "ab") as output:
            # A group of its own, so that no worker is left when the parent has to be killed.
            self.process = subprocess.Popen(
                [program, *self.arguments()], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, cwd=self.folder.name, start_new_session=True)
        for _ in range(400):
            if self.process.poll() is not None:
                return False
            with contextlib.suppress(OSError), socket.create_connection(
                    ("127.0.0.1", self.port), 1):
                return True
            # Nothing tells when it listens.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.025)
        self.end(signal.SIGKILL)
        return False

    def end(self, way):
        """Ends it with a signal, and waits until it and its workers have gone."""
        if self.process is None:
            return
        if self.process.poll() is None:
            if way == signal.SIGKILL:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.send_signal(way)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None

    def log(self, name):
        with contextlib.suppress(OSError), open(self.path(name), errors="replace") as log:
            return log.read()
        return ""

    def last_words(self):
        return self.log("output")[-600:]

    def write_configuration(self):
        with open(self.path("configuration"), "w") as file:
            file.write(self.configuration())


# What nginx's own documentation asks for when WebSocket and event streams have to pass.
NGINX_RIGHT = """
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_buffering off;
      proxy_read_timeout 1h;
      proxy_send_timeout 1h;
"""


class Nginx(Proxy):
    """nginx with one `location`, of which each case says what stands in it."""

    program = "nginx"

    def __init__(self, upstream, location=NGINX_RIGHT, servers=""):
        super().__init__(upstream)
        self.location = location
        self.servers = servers

    def arguments(self):
        return ["-p", self.folder.name, "-e", self.path("error.log"),
                "-c", self.path("configuration")]

    def configuration(self):
        folder, names = self.folder.name, ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        temporary = "\n".join(f"  {name}_temp_path {folder}/{name};" for name in names)
        servers = self.servers.replace("INNER", f"unix:{folder}/inner")
        location = self.location.replace("INNER", f"unix:{folder}/inner")
        if "proxy_pass" not in location:
            location = f"      proxy_pass http://127.0.0.1:{self.upstream};\n{location}"
        return f"""
daemon off;
worker_processes 1;
worker_shutdown_timeout 1s;
pid {folder}/pid;
error_log {folder}/error.log notice;
events {{ worker_connections 256; }}
http {{
{temporary}
  log_format brief '$request_method $status $request_time "$http_upgrade" "$http_accept"';
  access_log {folder}/access.log brief;
  map $http_upgrade $connection_upgrade {{
    default upgrade;
    '' '';
  }}
{servers.replace("UPSTREAM", f"127.0.0.1:{self.upstream}")}
  server {{
    listen 127.0.0.1:{self.port};
    location / {{
{location}
    }}
  }}
}}
"""

    def last_words(self):
        return super().last_words() + self.log("error.log")[-600:]

    def reload(self):
        """New workers take over; the old ones end, with their connections, within a second."""
        self.process.send_signal(signal.SIGHUP)


# Without it HAProxy waits 0.2 s for more before it sends an event on (MSG_MORE).
HAPROXY_RIGHT = "  option http-no-delay\n"


class HAProxy(Proxy):
    """HAProxy in its HTTP mode; each case says what else stands in its front end."""

    program = "haproxy"

    def __init__(self, upstream, frontend=HAPROXY_RIGHT, seconds=3600):
        super().__init__(upstream)
        self.seconds = seconds
        self.frontend = frontend

    def arguments(self):
        return ["-db", "-f", self.path("configuration")]

    def configuration(self):
        return f"""
global
  maxconn 256
  log stdout format raw local0
defaults
  mode http
  log global
  option httplog
  timeout connect 5s
  timeout client {self.seconds}s
  timeout server {self.seconds}s
  timeout tunnel {self.seconds}s
frontend clients
  bind 127.0.0.1:{self.port}
{self.frontend}
  default_backend servers
backend servers
  server triwire 127.0.0.1:{self.upstream}
"""
