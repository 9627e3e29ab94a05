"""A relay that cuts event streams off after so many bytes, so that a client has to come back."""

import socket
import threading


class CuttingProxy:
    """Relays TCP to a port of this host; the first event streams are cut at the given sizes."""

    def __init__(self, target, cuts):
        self.target = target
        self.cuts = list(cuts)
        self.lock = threading.Lock()

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        # Wakes the thread that waits in accept, which close alone does not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        try:
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()
        except OSError:
            pass

    def _relay(self, client):
        with client, socket.create_connection(("127.0.0.1", self.target)) as server:
            up = threading.Thread(target=self._copy, args=(client, server), daemon=True)
            up.start()
            self._copy(server, client, cuts=True)

    def _copy(self, source, sink, cuts=False):
        """Copies until one side ends, or a stream of events has had its bytes."""
        left = None
        try:
            while data := source.recv(65536):
                if cuts and left is None and b"content-type: text/event-stream" in data.lower():
                    with self.lock:
                        left = self.cuts.pop(0) if self.cuts else None
                if left is not None:
                    # In the middle of an event, as it happens; what is cut off must come again.
                    sink.sendall(data[:left])
                    left -= len(data)
                    if left <= 0:
                        break
                else:
                    sink.sendall(data)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
