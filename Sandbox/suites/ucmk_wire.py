# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""A client of the UCMK protocol in plain Python, written from `docs/PROTOCOL.md` alone.

The suites use it next to the project's own client library: what both understand is the wire and
not a habit that the daemon and its library share.
"""

import json
import select
import socket
import time

PROTOCOL = 1

# docs/PROTOCOL.md, section 8.
METHOD_NOT_FOUND = -32601


class RefusedError(Exception):
    """The other side answered a request with an error."""

    def __init__(self, error):
        super().__init__(f"{error['code']}: {error.get('message', '')}")
        self.code = error["code"]
        self.data = error.get("data") or {}


class ClosedError(Exception):
    """The other side closed the connection."""


class Connection:
    """One connection; keeps what arrives in `log`, in order, requests and notifications alike."""

    def __init__(self, stream, handlers=None):
        """`handlers` maps a method to a function from params to result."""
        self.stream = stream
        self.handlers = {"ping": lambda _: {"monotonic_ns": time.monotonic_ns()}}
        self.handlers.update(handlers or {})
        self.buffer = b""
        self.next_id = 1
        self.answers = {}
        self.log = []

    @classmethod
    def open(cls, path, handlers=None):
        """Connects to the daemon's socket."""
        stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        stream.connect(path)
        return cls(stream, handlers)

    def close(self):
        """Closes the connection."""
        self.stream.close()

    def send_line(self, line):
        """Sends bytes as they are, and the line's end."""
        try:
            self.stream.sendall(line + b"\n")
        except (BrokenPipeError, ConnectionResetError) as error:
            raise ClosedError("the other side closed the connection") from error

    def send(self, **message):
        """Sends one message."""
        message["jsonrpc"] = "2.0"
        self.send_line(json.dumps(message, separators=(",", ":")).encode())

    def notify(self, method, params):
        """Sends a notification."""
        self.send(method=method, params=params)

    def call(self, method, params=None, seconds=30):
        """Sends a request and returns its result; raises RefusedError for an error."""
        number = self.next_id
        self.next_id += 1
        self.send(id=number, method=method, params={} if params is None else params)
        answer = self.answer_to(number, seconds)
        if "error" in answer:
            raise RefusedError(answer["error"])
        return answer["result"]

    def answer_to(self, number, seconds=30):
        """The answer that carries the id; null stands for what could not be told apart."""
        deadline = time.monotonic() + seconds
        while number not in self.answers:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no answer to {number} within {seconds} s")
            self.serve(left)
        return self.answers.pop(number)

    def serve(self, seconds):
        """Handles what arrives first within the time; false where nothing does."""
        if not select.select([self.stream], [], [], max(0, seconds))[0]:
            return False
        try:
            data = self.stream.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise ClosedError("the other side closed the connection")
        *lines, self.buffer = (self.buffer + data).split(b"\n")
        for line in lines:
            if line.strip():
                self._receive(json.loads(line))
        return True

    def _receive(self, message):
        if "method" not in message:
            self.answers[message.get("id")] = message
            return
        self.log.append(message)
        if "id" not in message:
            handler = self.handlers.get(message["method"])
            if handler:
                handler(message.get("params") or {})
            return
        handler = self.handlers.get(message["method"])
        if handler:
            self.send(id=message["id"], result=handler(message.get("params") or {}))
        else:
            error = {"code": METHOD_NOT_FOUND, "message": "method not found"}
            self.send(id=message["id"], error=error)

    def hello(self, name, **more):
        """Introduces this client; returns what the daemon says of itself and of this client."""
        versions = {"min": PROTOCOL, "max": PROTOCOL}
        client = {"name": name, "lang": "python"}
        return self.call("hello", {"protocol": versions, "client": client, **more})
