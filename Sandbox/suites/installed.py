# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon under its own unit, installed as `make install` installs it.

What a package would do at its installation is done by hand: users, folders, catalog, presets. Then
the service has to do its work with no more rights than the unit grants, and be started again, or
not, as the unit says.
"""

import json
import os
import re
import signal
import time

from kernel_files import MIB, Group, read, run, wait_until
from units import (
    SOCKET,
    clients,
    listing,
    make_slice,
    property_of,
    start_client,
    start_eater,
    stop,
    ucmkctl,
    wait_for_clients,
)
from units import install as install_programs

UNIT = "ucmkd.service"
SOCKET_UNIT = "ucmkd.socket"
SLICE = "installed.slice"
LIMIT_MIB = 96
CACHE_MIB = 32
EXCESS_MIB = 5
NAMES = ["installed-a", "installed-b"]

# The best of the daemons that were looked at (earlyoom) has 1.0.
EXPOSURE = 1.0
# Emulation is slow and the host may be busy.
WAIT_SECONDS = 60
# The watchdog of the test, so that nobody waits for the unit's own half minute.
WATCHDOG_SECONDS = 4
# As in the unit.
START_BURST = 8
LIMIT_SECONDS = 600

CAP_SYS_RESOURCE = 24
CAP_DAC_OVERRIDE = 1
NOTIFY_RELOAD_SINCE = 253


def deploy(options):
    """Copies what was installed to the system, and does what a package does then."""
    run("sh", "-c", "tar -C root -cf - . | tar -C / --no-overwrite-dir -xf -")
    # Programs that the suite needs and a package does not have.
    install_programs(options.binaries)
    if systemd_version() >= NOTIFY_RELOAD_SINCE:
        folder = "/usr/lib/systemd/system/ucmkd.service.d"
        os.makedirs(folder)
        os.symlink("/usr/lib/ucmkd/notify-reload.conf", f"{folder}/50-notify-reload.conf")
    # On a machine that is slow itself a critical round's half second is too little.
    drop_in("ucmkd/ucmkd.conf.d/slow.conf", "[Pressure]\nCritical=full 1s/1s\n")
    run("systemd-sysusers")
    run("systemd-tmpfiles", "--create", "ucmkd.conf")
    run("journalctl", "--update-catalog")
    run("systemctl", "daemon-reload")


def systemd_version():
    """The number of this system's release."""
    return int(run("systemctl", "--version").split()[1].split(".")[0])


def drop_in(name, text):
    """Writes a file below /etc."""
    path = f"/etc/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def main_process():
    """The process of the service; 0 where it does not run."""
    return int(property_of(UNIT, "MainPID") or 0)


def status_of(pid):
    """`/proc/PID/status` by its keys."""
    lines = read(f"/proc/{pid}/status").splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def answers():
    """What the daemon says of itself, or nothing while it does not answer."""
    done = run(
        "/usr/bin/ucmkctl", "status", "--socket", SOCKET, "--timeout", "2s", "--json", check=False
    )
    return json.loads(done) if done else None


def check_units(report):
    """What systemd says of the files."""
    unit = "/usr/lib/systemd/system/ucmkd.service"
    places = [unit, "/usr/lib/systemd/system/ucmkd.socket"]
    said = run("sh", "-c", f"systemd-analyze verify --man=no {' '.join(places)} 2>&1", check=False)
    own = [line for line in said.splitlines() if "ucmkd" in line]
    report.equal("systemd-analyze verify", own, [])
    words = run("systemd-analyze", "--no-pager", "security", "--offline=true", unit, check=False)
    found = re.search(r"exposure level for \S+: ([0-9.]+)", words)
    report.at_most("exposure of the unit", float(found[1]) if found else 10.0, EXPOSURE)


def check_enable(report):
    """Preset, start, and what the process may do."""
    run("systemctl", "preset", UNIT, SOCKET_UNIT)
    enabled = run("systemctl", "is-enabled", UNIT, SOCKET_UNIT).split()
    report.equal("preset", enabled, ["enabled", "enabled"])
    run("systemctl", "enable", "--now", UNIT, timeout=WAIT_SECONDS)
    report.equal("service", property_of(UNIT, "ActiveState"), "active")
    report.equal("mode of the socket", f"{os.stat(SOCKET).st_mode & 0o777:o}", "666")
    pid = main_process()
    status = status_of(pid)
    report.equal("its user", run("ps", "-o", "user=", "-p", str(pid)), "ucmkd")
    report.equal("its rights", int(status["CapEff"], 16), 1 << CAP_SYS_RESOURCE)
    report.equal("what it may gain", int(status["CapBnd"], 16), 1 << CAP_SYS_RESOURCE)
    report.equal("no new rights", status["NoNewPrivs"], "1")
    report.equal("system calls are filtered", status["Seccomp"], "2")
    report.equal("oom_score_adj", read(f"/proc/{pid}/oom_score_adj"), "-900")
    report.at_least("locked memory", int(status["VmLck"].split()[0]), 1, "KiB")
    report.equal("memory.min", Group("/system.slice/ucmkd.service").number("memory.min"), 16 * MIB)
    limits = read(f"/proc/{pid}/limits")
    report.equal("open files", re.search(r"Max open files\s+(\d+)\s+(\d+)", limits)[2], "20480")
    sources = sorted({item["source"] for item in host_triggers()})
    report.equal("source of the host's pressure", sources, ["trigger"])
    windows = sorted({item["window_us"] for item in host_triggers()})
    report.equal("its windows", windows, [1_000_000])


def host_triggers():
    """What the daemon watches of the host."""
    return [item for item in ucmkctl("status")["triggers"] if item["scope"]["kind"] == "host"]


def slice_sources():
    """Where the daemon learns of the slice's pressure from."""
    triggers = ucmkctl("status")["triggers"]
    return sorted({item["source"] for item in triggers if item["scope"].get("path") == f"/{SLICE}"})


def check_round(report):
    """Clients of root in a slice that runs short are asked, by a daemon that is not root."""
    group = make_slice(SLICE, LIMIT_MIB)
    for name in NAMES:
        start_client(name, CACHE_MIB, SLICE)
    report.equal("clients", wait_for_clients(NAMES), NAMES)
    wait_until(lambda: cache_bytes() >= CACHE_MIB * MIB, WAIT_SECONDS, every=0.5)
    report.at_least("a client's cache", cache_bytes(), CACHE_MIB * MIB, "B")
    report.equal("pressure of the slice", slice_sources(), ["average"])
    start_eater("installed-eater", EXCESS_MIB, group)
    wait_until(lambda: closed_rounds(), WAIT_SECONDS, every=0.5)
    rounds = closed_rounds()
    report.at_least("rounds for the slice", len(rounds), 1)
    report.at_least("measured", sum(item["measured"] for item in rounds), MIB, "B")
    stop("installed-eater")


def cache_bytes():
    """How large the smallest cache of the clients is."""
    return min(client["caches"][0]["bytes"] for client in clients().values())


def closed_rounds():
    """The closed rounds of the slice."""
    return [
        item
        for item in listing(ucmkctl("rounds"), "rounds")
        if item["state"] == "closed" and item["scope"].get("path") == f"/{SLICE}"
    ]


def check_reload(report):
    """Good settings are taken, bad ones change nothing and are in the journal."""
    pid = main_process()
    drop_in("ucmkd/ucmkd.conf.d/test.conf", "[Limits]\nConnectionsPerUser=300\n")
    run("systemctl", "reload", UNIT, timeout=WAIT_SECONDS)
    wait_until(lambda: entries("settings read again"), WAIT_SECONDS)
    report.equal("reload of good settings", len(entries("settings read again")), 1)
    drop_in("ucmkd/ucmkd.conf.d/test.conf", "[Limits]\nConnectionsPerUser=many\n")
    run("systemctl", "reload", UNIT, timeout=WAIT_SECONDS)
    wait_until(lambda: entries("settings are wrong; the old ones stay"), WAIT_SECONDS)
    report.equal("reload of bad ones", len(entries("settings are wrong; the old ones stay")), 1)
    report.equal("the process is the same", main_process(), pid)
    kind = property_of(UNIT, "Type")
    wanted = "notify-reload" if systemd_version() >= NOTIFY_RELOAD_SINCE else "notify"
    report.equal("kind of the service", kind, wanted)
    os.remove("/etc/ucmkd/ucmkd.conf.d/test.conf")
    run("systemctl", "reload", UNIT, timeout=WAIT_SECONDS)


def journal(*words):
    """Entries of the service in the journal."""
    lines = run("journalctl", "--no-pager", "-o", "json", *words, "_SYSTEMD_UNIT=" + UNIT)
    return [json.loads(line) for line in lines.splitlines()]


def entries(message):
    """Those with this message."""
    return [entry for entry in journal() if entry.get("MESSAGE") == message]


def check_catalog(report):
    """Every entry of the daemon's has an id that the catalog explains."""
    found = [entry for entry in journal() if entry.get("SYSLOG_IDENTIFIER") == "ucmkd"]
    own = [entry for entry in found if "MESSAGE" in entry and "_TRANSPORT" in entry]
    sent = [entry for entry in own if entry["_TRANSPORT"] == "journal"]
    report.at_least("entries in the journal", len(sent), 3)
    without = sorted({entry["MESSAGE"] for entry in sent if "MESSAGE_ID" not in entry})
    report.equal("entries without an id", without, [])
    for name in sorted({entry["MESSAGE_ID"] for entry in sent if "MESSAGE_ID" in entry}):
        text = run("journalctl", "--dump-catalog", name, check=False)
        report.equal(f"catalog of {name[:8]}", "Subject: " in text, True)


def check_surface(report):
    """A surface is put into force, works, and is taken back."""
    run("/usr/bin/ucmkctl", "surface", "enable", "cgroup-triggers")
    link = "/etc/systemd/system/ucmkd.service.d/surface-cgroup-triggers.conf"
    report.equal("drop-in", os.path.realpath(link), "/usr/lib/ucmkd/surfaces/cgroup-triggers.conf")
    restart()
    rights = 1 << CAP_SYS_RESOURCE | 1 << CAP_DAC_OVERRIDE
    report.equal("rights with it", int(status_of(main_process())["CapEff"], 16), rights)
    report.equal("clients come back", wait_for_clients(NAMES), NAMES)
    wait_until(lambda: slice_sources() == ["trigger"], WAIT_SECONDS)
    report.equal("pressure of the slice with it", slice_sources(), ["trigger"])
    run("/usr/bin/ucmkctl", "surface", "disable", "cgroup-triggers")
    restart()
    status = status_of(main_process())
    report.equal("rights without it", int(status["CapEff"], 16), 1 << CAP_SYS_RESOURCE)


def restart():
    """Takes changed files into force."""
    run("systemctl", "daemon-reload")
    run("systemctl", "restart", UNIT, timeout=WAIT_SECONDS)


def check_return(report):
    """Killed, or hanging: it is started again, and the clients come back."""
    run("systemctl", "reset-failed", UNIT)
    wait_for_clients(NAMES)
    before = main_process()
    start = time.monotonic()
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: main_process() not in (0, before), WAIT_SECONDS, every=0.02)
    report.equal("clients after kill -9", wait_for_clients(NAMES), NAMES)
    report.at_most("until they are back", round(time.monotonic() - start, 1), WAIT_SECONDS, "s")
    words = f"[Service]\nWatchdogSec={WATCHDOG_SECONDS}\nTimeoutAbortSec=2\n"
    path = drop_in("systemd/system/ucmkd.service.d/test.conf", words)
    restart()
    time.sleep(WATCHDOG_SECONDS)
    before = main_process()
    report.equal("a loop that turns lives", property_of(UNIT, "NRestarts"), "0")
    os.kill(before, signal.SIGSTOP)
    wait_until(lambda: main_process() not in (0, before), WAIT_SECONDS)
    report.equal("one that hangs is started again", main_process() not in (0, before), True)
    report.equal("clients after that", wait_for_clients(NAMES), NAMES)
    os.remove(path)
    restart()


def check_bad_start(report):
    """What cannot mend itself is not tried again, and not for ever where clients knock."""
    for name in NAMES:
        stop(name)
    bad = drop_in("ucmkd/ucmkd.conf.d/test.conf", "[Limits]\nConnections=none\n")
    run("systemctl", "reset-failed", UNIT)
    before = len(starts())
    run("systemctl", "restart", UNIT, check=False, timeout=WAIT_SECONDS)
    report.equal("exit code with bad settings", property_of(UNIT, "ExecMainStatus"), "78")
    told = [entry["MESSAGE"] for entry in journal() if "test.conf:2:13" in entry.get("MESSAGE", "")]
    report.at_least("the journal names file, line and column", len(told), 1)
    # Many times what the unit waits before it tries again.
    time.sleep(3)
    report.equal("starts", len(starts()) - before, 1)
    report.equal("service", property_of(UNIT, "ActiveState"), "failed")
    # Emulation on a busy host takes seconds for a start that takes milliseconds: the unit's own
    # minute could be over before its eighth.
    patient = drop_in(
        "systemd/system/ucmkd.service.d/test.conf", f"[Unit]\nStartLimitIntervalSec={LIMIT_SECONDS}\n"
    )
    run("systemctl", "daemon-reload")
    # Another interval begins a new count.
    before = len(starts())
    start_client(NAMES[0], CACHE_MIB, SLICE)
    wait_until(lambda: property_of(SOCKET_UNIT, "ActiveState") == "failed", 3 * WAIT_SECONDS)
    report.equal("socket", property_of(SOCKET_UNIT, "Result"), "service-start-limit-hit")
    report.at_most("starts while a client knocks", len(starts()) - before, START_BURST)
    os.remove(bad)
    os.remove(patient)
    run("systemctl", "daemon-reload")
    run("systemctl", "reset-failed", UNIT, SOCKET_UNIT)
    run("systemctl", "start", SOCKET_UNIT, UNIT, timeout=WAIT_SECONDS)
    report.equal("the client when it is mended", wait_for_clients(NAMES[:1]), NAMES[:1])


def starts():
    """Process ids that the service ever had."""
    return {entry["_PID"] for entry in journal() if "_PID" in entry}


def suite(report, options):
    """Runs the checks on what `make install` installs."""
    deploy(options)
    run_checks(report)


def run_checks(report):
    """Runs the checks; the later ones need what the earlier ones started."""
    for name, check in (
        ("units", check_units),
        ("enable", check_enable),
        ("round", check_round),
        ("reload", check_reload),
        ("surface", check_surface),
        ("return", check_return),
        ("bad start", check_bad_start),
        ("catalog", check_catalog),
    ):
        with report.step(name):
            check(report)
    if not report.complete:
        # For whoever reads a failure.
        for unit in (UNIT, SOCKET_UNIT):
            print(run("systemctl", "status", "--no-pager", "-n", "0", unit, check=False))
        print(run("journalctl", "-u", UNIT, "--no-pager", "-n", "60", check=False), flush=True)
        print(json.dumps(answers()), flush=True)
