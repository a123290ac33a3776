# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""The daemon, its clients and their slices as transient units of systemd."""

import json
import os
import shutil

from kernel_files import MIB, Group, run, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
BINARIES = "/usr/local/bin"
SOCKET = "/run/ucmkd/ucmkd.sock"
DAEMON = "ucmkd-smoke"

# Emulation is slow and the host may be busy; what takes longer than this hangs.
START_SECONDS = 60


def install(folder):
    """Copies the executables to the disk: each page read through the share costs a round trip."""
    names = sorted(os.listdir(folder))
    for name in names:
        shutil.copy(os.path.join(folder, name), BINARIES)
        os.chmod(os.path.join(BINARIES, name), 0o755)
    return names


def start_unit(name, command, *properties, slice_name="system.slice"):
    """Starts a transient unit; returns its control group."""
    words = ["systemd-run", "--quiet", f"--unit={name}", f"--slice={slice_name}"]
    for text in properties:
        words += ["-p", text]
    run(*words, *command, timeout=START_SECONDS)
    return Group(f"/{slice_name}/{name}.service")


def start_daemon(*more):
    """Starts the daemon as its unit file does; returns when it says that it is ready.

    A round at critical waits 500 ms, which programs under emulation on a busy host miss; so that
    level is left to stalls of whole windows, and rounds have their 2 s.
    """
    os.makedirs("/etc/ucmkd", exist_ok=True)
    with open("/etc/ucmkd/ucmkd.conf", "w", encoding="ascii") as file:
        file.write("[Pressure]\nCritical=full 1s/1s\n")
    command = [f"{BINARIES}/ucmkd", "--socket", SOCKET, *more]
    return start_unit(
        DAEMON,
        command,
        "Type=notify",
        "RuntimeDirectory=ucmkd",
        "StateDirectory=ucmkd",
        "WatchdogSec=60",
    )


def start_client(name, mebibytes, slice_name):
    """Starts a program that holds a cache with the project's own client library."""
    command = [f"{BINARIES}/ucmk-demo", "client", "--name", name, "--socket", SOCKET]
    # Filled once: what grows again at once could not be told from what was never freed.
    command += ["--bytes", str(mebibytes * MIB), "--once"]
    return start_unit(name, command, slice_name=slice_name)


def start_member(name, mebibytes, slice_name, log):
    """Starts a program that holds a cache and speaks the wire by itself."""
    command = ["python3", "-B", f"{HERE}/member.py", "--socket", SOCKET, "--name", name]
    command += ["--mib", str(mebibytes), "--log", log]
    return start_unit(name, command, slice_name=slice_name)


def start_eater(name, mebibytes, group):
    """Starts real demand in a group, all at once and so much above its limit.

    Where it came slowly, on a machine that is slow itself, the watermarks of the daemon would have
    made room for it before the kernel saw anybody stall.
    """
    command = ["python3", "-B", f"{HERE}/eat.py", "--mib", str(mebibytes), "--hold", "600"]
    command += ["--above", group.folder]
    slice_name = os.path.basename(group.folder)
    return start_unit(name, command, slice_name=slice_name)


def make_slice(name, memory_high_mib=None):
    """Makes a slice, with a limit if there is one.

    A limited slice may not swap: cold caches would move to swap within a second, and the shortage
    would be over before anybody was asked.
    """
    limit = f"MemoryHigh={memory_high_mib}M\nMemorySwapMax=0\n" if memory_high_mib else ""
    with open(f"/run/systemd/system/{name}", "w", encoding="utf-8") as unit:
        unit.write(f"[Slice]\nMemoryAccounting=yes\n{limit}")
    run("systemctl", "daemon-reload")
    run("systemctl", "start", name)
    return Group(f"/{name}")


def property_of(unit, name):
    """One property of a unit."""
    return run("systemctl", "show", "--value", "-p", name, unit)


def stop(unit):
    """Stops a unit and waits for its end."""
    run("systemctl", "stop", unit, timeout=START_SECONDS)


def ucmkctl(*words):
    """What `ucmkctl --json` prints, as a value."""
    return json.loads(run(f"{BINARIES}/ucmkctl", *words, "--socket", SOCKET, "--json"))


def listing(document, key):
    """A list that may stand in a document by itself or under its key."""
    return document if isinstance(document, list) else document[key]


def clients():
    """The registered clients by name."""
    return {client["name"]: client for client in listing(ucmkctl("clients"), "clients")}


def wait_for_clients(names):
    """Waits until all are registered; returns those that are."""
    wanted = set(names)
    wait_until(lambda: wanted <= set(clients()), START_SECONDS, every=0.5)
    return sorted(wanted & set(clients()))


def messages(log):
    """The messages that a member has logged; without the pings, which keep a connection alive."""
    with open(log, encoding="utf-8") as file:
        heard = [json.loads(line) for line in file if line.endswith("\n")]
    return [message for message in heard if message["method"] != "ping"], len(heard)
