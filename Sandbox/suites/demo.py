# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""`make demo` in a guest: the same executables, the same table, the same summary."""

import json
import os
import shutil
import subprocess

from kernel_files import start_swap
from units import BINARIES, install

SWAP_MIB = 256
TIME_LIMIT = 300

# Of what was asked for, this much has to have come back (hundredths).
RETURNED_PERCENT = 80


def suite(report, options):
    """Runs the demo and judges the file that it leaves."""
    install(options.binaries)
    start_swap(SWAP_MIB)
    output = "/run/demo.json"
    command = [f"{BINARIES}/ucmk-demo", "run", "--mode", "vm", "--output", output]
    status = subprocess.run(command, timeout=TIME_LIMIT, check=False).returncode
    report.equal("exit status of the demo", status, 0)
    shutil.copy(output, os.path.join(options.results, "demo.json"))
    with open(output, encoding="utf-8") as file:
        found = json.load(file)
    report.at_least("rounds", found["rounds"], 1)
    report.at_least("events by pressure", found["events"]["psi"], 1)
    report.equal("out-of-memory kills", found["oom_kills"], 0)
    report.at_least("clients", len(found["clients"]), 3)
    percent = 100 * found["measured"] // max(found["asked"], 1)
    report.at_least("measured of asked", percent, RETURNED_PERCENT, "%")
