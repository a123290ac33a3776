# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""What the daemon says to a client that its authors did not write (docs/PROTOCOL.md)."""

import os
from contextlib import suppress

from kernel_files import read
from ucmk_wire import ClosedError, Connection, RefusedError

LIMITS = {
    *("caches", "connections", "connections_uid", "hello_ms", "in_flight", "labels", "line_in"),
    *("line_out", "malformed", "name", "queue", "ranges", "report_burst", "reports_per_s"),
}


def code_of(action):
    """The error that a call is refused with, or None."""
    try:
        action()
    except RefusedError as error:
        return error.code
    return None


def error_to_line(connection, line):
    """The code and the id of the error that a line is answered with."""
    with suppress(ClosedError):  # what it said before is still to be read
        connection.send_line(line)
    answer = connection.answer_to(None)
    return answer["error"]["code"], answer["id"]


def check_hello(report, path):
    """Introductions: who speaks first, and what each learns of the other."""
    connection = Connection.open(path)
    report.equal("ping before hello", code_of(lambda: connection.call("ping")), -32000)
    hello = connection.hello("wire")
    report.equal("protocol", hello["protocol"], 1)
    report.equal("limits that hello names", sorted(hello["limits"]), sorted(LIMITS))
    report.equal("pid that the kernel told", hello["you"]["pid"], os.getpid())
    own = read("/proc/self/cgroup").split("::", 1)[1]
    report.equal("cgroup that the daemon found", hello["you"]["cgroup"], own)
    report.equal("roles of root", "admin" in hello["you"]["roles"], True)
    report.equal("second hello", code_of(lambda: connection.hello("again")), -32012)
    connection.close()


def check_faults(report, path):
    """Malformed and wrong requests: each its own code, and the connection lives on."""
    connection = Connection.open(path)
    connection.hello("faults")
    register = "cache.register"
    cache = {"name": "a"}
    report.equal("unknown method", code_of(lambda: connection.call("no.such")), -32601)
    report.equal("half a message", error_to_line(connection, b'{"jsonrpc":'), (-32700, None))
    report.equal("a batch", error_to_line(connection, b"[]"), (-32600, None))
    greedy = {"caches": [{"name": "a", "share": 101}]}
    report.equal("share of 101", code_of(lambda: connection.call(register, greedy)), -32602)
    connection.call(register, {"caches": [cache]})
    twice = code_of(lambda: connection.call(register, {"caches": [cache]}))
    report.equal("the same cache twice", twice, -32003)
    for byte in b'{"jsonrpc":"2.0","id":"slow","method":"ping"}\r\n':
        connection.stream.send(bytes([byte]))
    answer = connection.answer_to("slow")
    report.equal("byte by byte, ended by CR LF", "monotonic_ns" in answer["result"], True)
    removed = connection.call("cache.unregister", {"ids": [2**31 - 1]})
    report.equal("unknown ids removed", removed["removed"], 0)
    connection.close()


def check_line_limit(report, path):
    """A line that is one byte too long is answered, and then the connection is closed."""
    connection = Connection.open(path)
    hello = connection.hello("long")
    longest = hello["limits"]["line_in"]
    report.equal("longest line", longest, 65_536)
    shortest = b'{"jsonrpc":"2.0","method":"bye","params":{"reason":""}}'
    filler = b"x" * (longest + 1 - len(shortest))
    code = error_to_line(connection, shortest[:-3] + filler + shortest[-3:])
    report.equal("a line of one byte more", code, (-32005, None))
    closed = False
    try:
        connection.serve(10)
    except ClosedError:
        closed = True
    report.equal("closed after it", closed, True)
    connection.close()


def check_wire(report, path):
    """All of the above."""
    for check in (check_hello, check_faults, check_line_limit):
        with report.step(check.__name__.replace("_", " ")):
            check(report, path)
