# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""The sums of all test runs."""

import contextlib
import io
import json
import unittest

import places

COUNT = places.script("count-tests")


def test(name, display=None):
    """The stream's entry for a test."""
    payload = {"id": f"CoreTests.{name}/f.swift:1:2", "kind": "function", "name": name}
    if display:
        payload["displayName"] = display
    return json.dumps({"kind": "test", "payload": payload})


def event(kind, name=None, **more):
    """The stream's entry for something that happened."""
    payload = {"kind": kind, "messages": [], **more}
    if name:
        payload["testID"] = f"CoreTests.{name}/f.swift:1:2"
    return json.dumps({"kind": "event", "payload": payload})


class SwiftTests(unittest.TestCase):
    """Swift Testing's event stream."""

    def count(self, *lines):
        """Counts, and whether the run came to its end."""
        counts = COUNT.Counts()
        return counts, COUNT.count_swift(lines, counts)

    def test_a_test_that_ends_without_an_issue_has_passed(self):
        counts, complete = self.count(
            test("a()"), event("testStarted", "a()"), event("testEnded", "a()"), event("runEnded")
        )
        self.assertEqual((counts.passed, counts.failed, counts.skipped), (1, [], []))
        self.assertTrue(complete)

    def test_an_issue_fails_its_test_however_many_there_are(self):
        issue = {"isKnown": False}
        counts, _ = self.count(
            test("a()", "a sentence"),
            event("testStarted", "a()"),
            event("issueRecorded", "a()", issue=issue, messages=[{"text": "1 ==\n 2"}]),
            event("issueRecorded", "a()", issue=issue),
            event("testEnded", "a()"),
        )
        self.assertEqual(counts.failed, [("CoreTests: a sentence", "1 == 2")])

    def test_known_issues_and_warnings_fail_nothing(self):
        counts, _ = self.count(
            test("a()"),
            event("issueRecorded", "a()", issue={"isKnown": True}),
            event("issueRecorded", "a()", issue={"isKnown": False, "severity": "warning"}),
            event("testEnded", "a()"),
        )
        self.assertEqual((counts.passed, counts.failed), (1, []))

    def test_skipped_and_cancelled_tests_keep_their_reason(self):
        counts, _ = self.count(
            test("a()"),
            test("b()"),
            event("testSkipped", "a()", _comments=["no cgroup v2 here"]),
            event("testStarted", "b()"),
            event("testCancelled", "b()", _comments=["too old a kernel"]),
            event("testEnded", "b()"),
        )
        self.assertEqual(
            counts.skipped,
            [("CoreTests: a()", "no cgroup v2 here"), ("CoreTests: b()", "too old a kernel")],
        )

    def test_a_crash_fails_what_had_begun_and_not_what_had_not(self):
        counts, complete = self.count(
            test("a()"), test("b()"), event("testStarted", "a()"), '{"kind":"ev'
        )
        self.assertEqual(counts.failed, [("CoreTests: a()", "did not end")])
        self.assertFalse(complete)

    def test_an_issue_outside_of_any_test_is_a_failure(self):
        counts, _ = self.count(event("issueRecorded", issue={"isKnown": False}))
        self.assertEqual(counts.failed, [("a test", "")])


class PythonTests(unittest.TestCase):
    """The output of `unittest -v`."""

    def test_counts_each_outcome(self):
        counts = COUNT.Counts()
        COUNT.count_unittest(
            [
                "test_a (test_x.ATests.test_a) ... ok\n",
                "test_b (test_x.ATests.test_b)\n",
                "A docstring. ... FAIL\n",
                "test_c (test_x.ATests.test_c) ... skipped 'no root'\n",
                "test_d (unittest.loader._FailedTest.test_d) ... ERROR\n",
                "======\nFAIL: test_b (test_x.ATests.test_b)\n",
                "Ran 4 tests in 0.1s\n",
            ],
            counts,
        )
        self.assertEqual(counts.passed, 1)
        self.assertEqual(counts.failed, [("test_x: test_b", "FAIL"), ("unittest: test_d", "ERROR")])
        self.assertEqual(counts.skipped, [("test_x: test_c", "no root")])


class PrintTests(unittest.TestCase):
    """What people and CI read."""

    def test_the_last_line_counts_and_the_lines_before_say_why(self):
        counts = COUNT.Counts()
        counts.passed = 3
        counts.failed = [("b", "1 == 2")]
        counts.skipped = [("c", "")]
        with contextlib.redirect_stdout(io.StringIO()) as out:
            counts.print()
        self.assertEqual(
            out.getvalue(),
            "skipped: c: no reason given\nFAILED: b: 1 == 2\n3 passed, 1 failed, 1 skipped\n",
        )


if __name__ == "__main__":
    unittest.main()
