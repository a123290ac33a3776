# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""The sandbox's test of itself: is this the kind of system that the other suites count on?"""

import os
import time

from kernel_files import CGROUP, MIB, PRESSURE, Group, Trigger, read, run, start_swap

EAT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "eat.py")

# guest -> (systemd, kernel) that its release has.
VERSIONS = {"bookworm": (252, "6.1"), "trixie": (257, "6.12")}

SWAP_MIB = 128
LIMIT_MIB = 32
LOAD_MIB = 96

# A twentieth of a second of stall in one second. Windows that are no multiple of 2 s need
# CAP_SYS_RESOURCE (Linux, Documentation/accounting/psi.rst), which the daemon's unit has as well.
STALL_US = 50_000
WINDOW_US = 1_000_000

# Ten times what was measured for this load on two busy cores (1.6 s in bookworm, 2.2 s in trixie).
TRIGGER_MS = 20_000


def check_system(report):
    """Process 1, its state, and the versions."""
    systemd, kernel = VERSIONS[report.guest]
    report.equal("process 1", read("/proc/1/comm"), "systemd")
    report.equal(
        "state of the system", run("systemctl", "is-system-running", check=False), "running"
    )
    version = run("systemctl", "--version").split()[1]
    report.equal("systemd", int(version.split(".")[0]), systemd)
    release = ".".join(read("/proc/sys/kernel/osrelease").split(".")[:2])
    report.equal("kernel", release, kernel)
    disk = os.statvfs("/")
    report.at_least("free on the disk", disk.f_bavail * disk.f_frsize // MIB, 300, "MiB")


def check_transient_unit(report):
    """A unit made on the spot that says when it is ready, which is how the daemon is started."""
    run(
        *("systemd-run", "--unit=probe", "--slice=probe.slice", "-p", "Type=notify"),
        *("-p", "NotifyAccess=all", "-p", "MemoryHigh=64M"),
        *("bash", "-c", "systemd-notify --ready; sleep 100"),
    )
    report.equal("transient unit", run("systemctl", "is-active", "probe", check=False), "active")
    group = Group("/probe.slice/probe.service")
    report.equal("memory.high of the unit", group.number("memory.high"), 64 * MIB, "B")
    run("systemctl", "stop", "probe")


def check_groups(report):
    """The unified hierarchy and the files that the daemon reads."""
    controllers = read(f"{CGROUP}/cgroup.controllers").split()
    report.equal("memory controller", "memory" in controllers, True)
    group = Group("/boot-files").make()
    wanted = ("current", "events", "high", "max", "min", "pressure", "reclaim", "stat")
    missing = [name for name in wanted if not os.path.exists(f"{group.folder}/memory.{name}")]
    report.equal("missing memory.* files", " ".join(missing), "")
    group.remove()


def check_swap(report):
    """Swap in compressed memory."""
    # One page of the device holds its header.
    least = SWAP_MIB * MIB - 65_536
    report.at_least("swap", start_swap(SWAP_MIB), least, "B", "zram")


def check_triggers(report):
    """Anonymous memory over memory.high fires the triggers of its group and of the host."""
    group = Group("/boot-load").make()
    quiet = Group("/boot-quiet").make()
    group.set("memory.high", LIMIT_MIB * MIB)
    places = {"group": f"{group.folder}/memory.pressure", "host": PRESSURE}
    triggers = {name: Trigger(path, STALL_US, WINDOW_US) for name, path in places.items()}
    silent = Trigger(f"{quiet.folder}/memory.pressure", STALL_US, WINDOW_US)
    report.equal("trigger fires without load", triggers["group"].fired(1), False)
    start = time.monotonic()
    group.start("python3", EAT, "--mib", str(LOAD_MIB))
    for name, trigger in triggers.items():
        fired = trigger.fired(2 * TRIGGER_MS / 1000)
        elapsed = round((time.monotonic() - start) * 1000)
        report.at_most(
            f"first event of the {name}'s trigger after the load began",
            elapsed if fired else 2 * TRIGGER_MS,
            TRIGGER_MS,
            "ms",
            None if fired else "no event",
        )
    report.equal("trigger of another group fires", silent.fired(0), False)
    report.at_least("pages reclaimed by memory.high", group.events()["high"], 1, "events")
    report.equal("out-of-memory kills", group.events()["oom_kill"], 0)
    for trigger in (*triggers.values(), silent):
        trigger.close()
    group.remove()
    quiet.remove()


def suite(report, _options):
    """Runs the checks."""
    for name, check in (
        ("system", check_system),
        ("transient unit", check_transient_unit),
        ("control groups", check_groups),
        ("swap", check_swap),
        ("triggers", check_triggers),
    ):
        with report.step(name):
            check(report)
