# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""The installed service on a kernel without pressure information and memory controller.

By default it works without them, with a warning each; where the settings require them it ends with 69
and is not started again.
"""

import time

from installed import UNIT, answers, deploy, drop_in, entries, journal, starts
from kernel_files import run, wait_until
from units import property_of, ucmkctl

WAIT_SECONDS = 60


def check_degraded(report):
    """It serves, and says what it lacks."""
    run("systemctl", "enable", "--now", UNIT, timeout=WAIT_SECONDS)
    report.equal("service", property_of(UNIT, "ActiveState"), "active")
    for message in ("only the watermarks can start a round", "no cgroup is watched"):
        wait_until(lambda text=message: entries(text), WAIT_SECONDS)
        report.equal(message, len(entries(message)), 1)
    report.equal("state", ucmkctl("status")["state"], "degraded")
    report.equal("triggers", ucmkctl("status")["triggers"], [])
    words = run("/usr/bin/ucmkctl", "doctor", "--json", check=False)
    for subject in ("psi", "memory controller"):
        report.equal(f"doctor names {subject}", f'"subject": "{subject}"' in words, True)
    report.equal("doctor knows the parameter", "psi=1" in words, True)


def check_required(report):
    """Where they are required it ends, and stays so."""
    drop_in("ucmkd/ucmkd.conf.d/test.conf", "[Host]\nRequire=psi cgroup2\n")
    before = len(starts())
    run("systemctl", "restart", UNIT, check=False, timeout=WAIT_SECONDS)
    report.equal("exit code", property_of(UNIT, "ExecMainStatus"), "69")
    # Many times what the unit waits before it tries again.
    time.sleep(3)
    report.equal("starts", len(starts()) - before, 1)
    report.equal("service after it", property_of(UNIT, "ActiveState"), "failed")
    told = [entry["MESSAGE"] for entry in journal() if "Require=" in entry.get("MESSAGE", "")]
    report.equal("what is missing, in the journal", len(told), 2, "", "; ".join(told))


def suite(report, options):
    """Runs the checks."""
    deploy(options)
    with report.step("degraded"):
        check_degraded(report)
    with report.step("required"):
        check_required(report)
    if not report.complete:
        print(run("journalctl", "-u", UNIT, "--no-pager", "-n", "60", check=False), flush=True)
        print(answers(), flush=True)
