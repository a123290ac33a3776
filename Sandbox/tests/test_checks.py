# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""What a suite reports, and how the kernel's files are read."""

import contextlib
import io
import json
import os
import subprocess
import tempfile
import unittest

from checks import Report, describe, line
from kernel_files import Group, keyed, wait_until, wakeups


def quiet(action):
    """Runs without the table on the terminal; returns what was printed."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        action()
    return out.getvalue()


class ReportTests(unittest.TestCase):
    """Rows."""

    def setUp(self):
        self.report = Report("boot", "bookworm")

    def test_a_target_is_made_from_the_bound(self):
        def rows():
            self.report.equal("a", 1, 2)
            self.report.at_least("b", 5, 5, "ms")
            self.report.at_most("c", 6, 5, "ms", "slow")

        quiet(rows)
        self.assertEqual([row["target"] for row in self.report.rows], ["= 2", ">= 5", "<= 5"])
        self.assertEqual([row["ok"] for row in self.report.rows], [False, True, False])
        self.assertEqual(self.report.rows[2]["note"], "slow")

    def test_a_row_has_the_form_of_every_results_file(self):
        quiet(lambda: self.report.at_least("b", 5, 4, "ms"))
        self.assertEqual(
            self.report.rows[0],
            {
                "name": "b",
                "value": 5,
                "unit": "ms",
                "baseline": None,
                "ratio": None,
                "target": ">= 4",
                "ok": True,
            },
        )

    def test_an_error_in_a_step_is_a_failed_row_and_the_suite_goes_on(self):
        def steps():
            with self.report.step("first"):
                raise KeyError("key")
            with self.report.step("second"):
                self.report.equal("later", 1, 1)

        quiet(steps)
        self.assertEqual([row["name"] for row in self.report.rows], ["first", "later"])
        self.assertEqual(self.report.rows[0]["value"], "KeyError")
        self.assertFalse(self.report.complete)

    def test_a_suite_without_checks_is_not_complete(self):
        self.assertFalse(self.report.complete)
        quiet(lambda: self.report.equal("a", 1, 1))
        self.assertTrue(self.report.complete)
        self.assertEqual(self.report.summary(), "sandbox boot in bookworm: ok, 1 of 1 checks hold")

    def test_writes_the_file_that_is_named_after_suite_and_guest(self):
        quiet(lambda: self.report.equal("a", 1, 1))
        with tempfile.TemporaryDirectory() as folder:
            self.report.write(folder)
            with open(f"{folder}/sandbox-boot-bookworm.json", encoding="utf-8") as file:
                found = json.load(file)
        self.assertEqual(sorted(found), ["host", "results"])
        self.assertEqual(found["results"], self.report.rows)

    def test_a_line_shows_value_and_target(self):
        row = {"name": "a", "value": 7, "unit": "ms", "target": "<= 5", "ok": False, "note": "n"}
        self.assertRegex(line(row), r"^FAIL a +7 ms +<= 5   \(n\)$")

    def test_a_failed_program_is_described_by_what_it_said(self):
        error = subprocess.CalledProcessError(3, ["x"], stderr="no such slice\n")
        self.assertIn("no such slice", describe(error))
        self.assertEqual(describe(ValueError()), "ValueError")


class KernelFileTests(unittest.TestCase):
    """The kernel's files."""

    def test_reads_counters_by_name(self):
        self.assertEqual(keyed("low 0\noom_kill 3"), {"low": 0, "oom_kill": 3})

    def test_what_a_group_holds_is_memory_and_swap(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, value in (("memory.current", "5\n"), ("memory.swap.current", "2\n")):
                with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                    file.write(value)
            group = Group("/x")
            group.folder = folder
            self.assertEqual(group.held(), 7)

    def test_waiting_ends_with_the_condition_or_at_the_deadline(self):
        turns = iter([0, 0, 3])
        self.assertEqual(wait_until(lambda: next(turns), 10, every=0), 3)
        self.assertEqual(wait_until(lambda: 0, 0, every=0), 0)

    def test_counts_wakeups_of_a_process(self):
        self.assertGreaterEqual(wakeups(os.getpid()), 0)


if __name__ == "__main__":
    unittest.main()
