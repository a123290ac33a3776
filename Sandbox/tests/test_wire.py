# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""The suites' own client of the protocol, and the program with a cache."""

import io
import json
import socket
import threading
import unittest

from member import MIB, Cache, Member
from ucmk_wire import ClosedError, Connection, RefusedError


class Case(unittest.TestCase):
    """A connection, and the other end of it."""

    def setUp(self):
        ours, self.other = socket.socketpair()
        self.connection = Connection(ours, {"shrink": lambda params: {"round": params["round"]}})
        self.addCleanup(self.connection.close)
        self.addCleanup(self.other.close)
        self.other.settimeout(10)
        self.lines = self.other.makefile("rb")
        self.addCleanup(self.lines.close)

    def say(self, text):
        """The other end sends bytes."""
        self.other.sendall(text)

    def heard(self):
        """What the other end received next."""
        return json.loads(self.lines.readline())


class ConnectionTests(Case):
    """Framing, ids, and who answers what."""

    def test_a_call_returns_the_result_with_its_id(self):
        self.say(b'{"jsonrpc":"2.0","id":1,"result":{"a":2}}\n')
        self.assertEqual(self.connection.call("ping"), {"a": 2})
        self.assertEqual(self.heard(), {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}})

    def test_ids_rise(self):
        self.say(b'{"id":1,"result":{}}\n{"id":2,"result":{}}\n')
        self.connection.call("a")
        self.connection.call("b")
        self.assertEqual([self.heard()["id"], self.heard()["id"]], [1, 2])

    def test_an_error_is_raised_with_its_code_and_data(self):
        self.say(b'{"id":1,"error":{"code":-32002,"message":"no","data":{"need":"admin"}}}\n')
        with self.assertRaises(RefusedError) as caught:
            self.connection.call("trigger")
        self.assertEqual((caught.exception.code, caught.exception.data["need"]), (-32002, "admin"))

    def test_a_message_may_come_in_pieces_and_several_at_once(self):
        self.say(b'{"method":"no')
        self.connection.serve(1)
        self.say(b'tice"}\n\r\n{"method":"relax"}\r\n{"id":null,"error":{"code":-32700}}\n')
        self.connection.serve(1)
        self.assertEqual([item["method"] for item in self.connection.log], ["notice", "relax"])
        self.assertEqual(self.connection.answer_to(None)["error"]["code"], -32700)

    def test_requests_of_the_other_side_are_answered_while_waiting(self):
        self.say(b'{"id":9,"method":"shrink","params":{"round":4}}\n{"id":1,"result":{}}\n')
        self.connection.call("ping")
        self.assertEqual(self.heard()["method"], "ping")
        self.assertEqual(self.heard(), {"jsonrpc": "2.0", "id": 9, "result": {"round": 4}})

    def test_pings_are_answered_and_unknown_requests_refused(self):
        self.say(b'{"id":"x","method":"ping"}\n{"id":2,"method":"dance","params":{}}\n')
        self.connection.serve(1)
        self.assertIn("monotonic_ns", self.heard()["result"])
        self.assertEqual(self.heard()["error"]["code"], -32601)

    def test_notifications_are_never_answered(self):
        self.say(b'{"method":"dance","params":{}}\n')
        self.connection.serve(1)
        self.other.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.other.recv(1)

    def test_the_end_of_the_connection_is_an_error_of_its_own(self):
        self.other.shutdown(socket.SHUT_RDWR)
        with self.assertRaises(ClosedError):
            self.connection.call("ping")

    def test_an_answer_that_does_not_come_is_given_up(self):
        with self.assertRaisesRegex(TimeoutError, "no answer to 1"):
            self.connection.call("ping", seconds=0.01)

    def test_hello_names_the_version_and_the_client(self):
        self.say(b'{"id":1,"result":{"protocol":1}}\n')
        self.assertEqual(self.connection.hello("imgd", role="control")["protocol"], 1)
        params = self.heard()["params"]
        self.assertEqual(params["protocol"], {"min": 1, "max": 1})
        self.assertEqual(params["client"], {"name": "imgd", "lang": "python"})
        self.assertEqual(params["role"], "control")


class MemberTests(Case):
    """The program with a cache."""

    def member(self):
        """With three MiB, registered as cache 5."""
        member = Member("m", Cache(3), io.StringIO())
        member.cache.id = 5
        return member

    def shrink(self, member, cache, size, **more):
        """What the program answers."""
        target = {"id": cache, "bytes": size}
        return member.shrink({"round": 7, "deadline_ms": 5000, "targets": [target], **more})

    def test_frees_whole_entries_until_it_is_enough(self):
        member = self.member()
        answer = self.shrink(member, 5, MIB + 1)
        self.assertEqual(answer["round"], 7)
        self.assertEqual(
            answer["targets"],
            [{"id": 5, "freed": 2 * MIB, "bytes": MIB, "reclaimable": MIB, "more": True}],
        )

    def test_gives_what_it_has(self):
        target = self.shrink(self.member(), 5, 10 * MIB)["targets"][0]
        self.assertEqual((target["freed"], target["bytes"], target["more"]), (3 * MIB, 0, False))

    def test_a_dry_run_and_a_foreign_cache_free_nothing(self):
        member = self.member()
        self.assertEqual(self.shrink(member, 5, MIB, dry_run=True)["targets"][0]["freed"], 0)
        self.assertEqual(self.shrink(member, 6, MIB)["targets"][0]["freed"], 0)
        self.assertEqual(member.cache.usage()["bytes"], 3 * MIB)

    def test_logs_each_message_and_ends_with_the_daemon(self):
        member = self.member()
        listener = threading.Thread(target=member.listen, args=(self.connection,))
        listener.start()
        self.say(b'{"method":"notice","params":{"kind":"reload"}}\n')
        self.say(b'{"method":"shutdown","params":{"reconnect_after_ms":5}}\n')
        self.other.shutdown(socket.SHUT_WR)
        listener.join(10)
        heard = [json.loads(line)["method"] for line in member.log.getvalue().splitlines()]
        self.assertEqual(heard, ["notice", "shutdown"])


if __name__ == "__main__":
    unittest.main()
