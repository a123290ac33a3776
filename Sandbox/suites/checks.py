# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""What a suite found out: one row a check, as a table for people and a file for programs.

A target is stated once, as the bound that the value is compared with; the words in the table and
in the file are made from it.
"""

import json
import os
import platform
import subprocess
from contextlib import contextmanager


class Report:
    """The rows of one suite in one guest, in the order in which they were found."""

    def __init__(self, suite, guest):
        self.suite = suite
        self.guest = guest
        self.rows = []

    def add(self, name, value, unit, target, passed, note=None):
        """Adds a row; prints it at once, so that a run that hangs shows how far it came."""
        row = {"name": name, "value": value, "unit": unit, "baseline": None, "ratio": None}
        row.update(target=target, ok=bool(passed))
        if note:
            row["note"] = note
        self.rows.append(row)
        print(line(row), flush=True)
        return passed

    def equal(self, name, value, wanted, unit="", note=None):
        """The value has to be the wanted one."""
        return self.add(name, value, unit, f"= {wanted}", value == wanted, note)

    def at_least(self, name, value, bound, unit="", note=None):
        """The value has to reach the bound."""
        return self.add(name, value, unit, f">= {bound}", value >= bound, note)

    def at_most(self, name, value, bound, unit="", note=None):
        """The value may not exceed the bound."""
        return self.add(name, value, unit, f"<= {bound}", value <= bound, note)

    @contextmanager
    def step(self, name):
        """Turns an error in the block into a failed row; the suite goes on."""
        try:
            yield
        except Exception as error:  # whatever broke, the other checks still have something to say
            self.add(name, type(error).__name__, "", "completes", False, describe(error))

    @property
    def passed(self):
        """How many rows are in order."""
        return sum(row["ok"] for row in self.rows)

    @property
    def complete(self):
        """Whether there was at least one check and none failed."""
        return bool(self.rows) and self.passed == len(self.rows)

    def write(self, folder):
        """Writes `sandbox-<suite>-<guest>.json` in the form that every results file has."""
        path = os.path.join(folder, f"sandbox-{self.suite}-{self.guest}.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"host": host(self.guest), "results": self.rows}, out, indent=2)
            out.write("\n")

    def summary(self):
        """The last line of a run."""
        verdict = "ok" if self.complete else "NOT ok"
        return (
            f"sandbox {self.suite} in {self.guest}: {verdict}, "
            f"{self.passed} of {len(self.rows)} checks hold"
        )


def line(row):
    """One row of the table."""
    mark = "ok  " if row["ok"] else "FAIL"
    value = f"{row['value']} {row['unit']}".strip()
    text = f"{mark} {row['name']:<58} {value:>16}   {row['target']}"
    return text + (f"   ({row['note']})" if "note" in row else "")


def describe(error):
    """An error in words, with what a failed program printed."""
    words = str(error) or type(error).__name__
    if isinstance(error, subprocess.CalledProcessError):
        words += f": {(error.stderr or error.stdout or '').strip()[-500:]}"
    return words


def host(guest):
    """What the checks ran on."""
    systemd = subprocess.run(
        ["systemctl", "--version"], stdout=subprocess.PIPE, text=True, check=False
    ).stdout.split()
    return {
        "guest": guest,
        "kernel": platform.release(),
        "systemd": systemd[1] if len(systemd) > 1 else "",
        "processors": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "emulated": True,
    }
