"""A server in the sidecar's place that answers what a test wants, byte for byte, however wrong."""

import json
import os
import socket
import tempfile
import threading
from types import TracebackType
from typing import Any, Callable, Dict, List, Optional, Type

#: Answers one request on its connection, which is closed afterwards.
Answer = Callable[["Request"], None]


class Request:
    def __init__(self, connection: socket.socket, head: str, body: str) -> None:
        self.connection = connection
        first, *fields = head.split("\r\n")
        self.method, self.path, _ = first.split(" ")
        self.headers = {name.lower(): value for name, value in (field.split(": ", 1) for field in fields)}
        self.body = body

    def send(self, *parts: "bytes | str") -> None:
        for part in parts:
            self.connection.sendall(part if isinstance(part, bytes) else part.encode("utf-8"))

    def json(self, status: int, document: Any, kind: str = "application/json") -> None:
        text = document if isinstance(document, bytes) else json.dumps(document).encode("utf-8")
        self.send("HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (status, kind, len(text)), text)

    def problem(self, status: int, code: str, **more: Any) -> None:
        self.json(status, {"code": code, "detail": code, "status": status, **more}, "application/problem+json")

    def begin_hold(self, lease: Any) -> None:
        self.send("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nConnection: close\r\n\r\n")
        self.line({"event": "held", "lease": lease})

    def line(self, document: Any) -> None:
        self.send(json.dumps(document) + "\n")

    def wait_for_the_end(self) -> None:
        """Until the client has ended its side."""
        try:
            while self.connection.recv(65536):
                pass
        except OSError:
            pass


def lease(name: str = "recorder", **more: Any) -> Dict[str, Any]:
    return {"id": "id-1", "name": name, "kind": "connection", "since": "2026-11-26T10:00:00.000Z", **more}


class StandIn:
    """Listens on a Unix socket within a ``with`` block. Each request is answered in a thread of its own; what its answer raises is
    kept, and raised at the end of the block."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: List[Request] = []
        self._folder = tempfile.TemporaryDirectory()
        self._path = os.path.join(self._folder.name, "stand-in.sock")
        self.url = "unix:" + self._path
        self._arrived = threading.Condition()
        self._errors: List[BaseException] = []
        self._connections: List[socket.socket] = []
        self._server = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> "StandIn":
        self._server.bind(self._path)
        self._server.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._connections:
            connection.close()
        self._folder.cleanup()
        if error is None and self._errors:
            raise self._errors[0]

    def wait_for(self, count: int) -> List[Request]:
        """The requests, once there are that many."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self.requests) >= count, 60):
                raise AssertionError("%d requests instead of %d" % (len(self.requests), count))
            return self.requests

    def asked(self) -> List[str]:
        return ["%s %s" % (request.method, request.path) for request in self.requests]

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            head, body = b"", b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            head, body = head.split(b"\r\n\r\n", 1)
            length = next((int(field[15:]) for field in head.split(b"\r\n") if field.lower().startswith(b"content-length:")), 0)
            while len(body) < length:
                body += connection.recv(65536)
            request = Request(connection, head.decode(), body.decode())
            with self._arrived:
                self.requests.append(request)
                self._arrived.notify_all()
            self.answer(request)
        except OSError:
            # The client has gone, which is its right.
            pass
        except BaseException as error:
            self._errors.append(error)
        finally:
            connection.close()
