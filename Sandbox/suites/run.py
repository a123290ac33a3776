# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Runs one suite inside a guest: `run.py SUITE --guest NAME --binaries DIR --results DIR`."""

import argparse
import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from checks import Report

SUITES = ("boot", "smoke", "demo", "installed", "bare", "service")


def main():
    """Runs the suite; 0 where every check holds, else 1."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("suite", choices=SUITES)
    arguments.add_argument("--guest", required=True)
    arguments.add_argument("--binaries", default="", help="folder with the project's executables")
    arguments.add_argument("--results", required=True, help="folder for the results")
    arguments.add_argument("--short", action="store_true", help="the form for every change")
    chosen = arguments.parse_args()
    report = Report(chosen.suite, chosen.guest)
    with report.step("suite"):
        importlib.import_module(chosen.suite).suite(report, chosen)
    report.write(chosen.results)
    print(report.summary(), flush=True)
    return 0 if report.complete else 1


if __name__ == "__main__":
    sys.exit(main())
