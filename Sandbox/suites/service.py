# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""The Debian packages in a system that never saw a toolchain: installed, used, upgraded, purged.

What they install has to do all that `installed` asks of the same files; beyond that come the
things that packages do by themselves.
"""

import glob
import os

import installed
from kernel_files import run, wait_until
from units import SOCKET, start_client, stop, wait_for_clients

# dpkg under emulation writes slowly.
DPKG_SECONDS = 300
PACKAGES = ("ucmkd", "ucmkctl")
# What a purge may leave: the suite's own programs, the user's locked entry, and its package log.
KEPT = ("/usr/local/", "/proc/", "/sys/", "/tmp/", "/run/systemd/", "/var/log/", "/dev/")


def check_install(report, options):
    """One command installs, enables and starts."""
    run("sh", "-c", "dpkg -i packages/*.deb", timeout=DPKG_SECONDS)
    for name in PACKAGES:
        status = run("dpkg-query", "-W", "-f", "${Status}", name)
        report.equal(f"package {name}", status, "install ok installed")
    # A small image is set up to leave documentation out.
    amiss = [
        line
        for line in run("dpkg", "--verify", *PACKAGES, check=False).splitlines()
        if "/usr/share/doc/" not in line and "/usr/share/man/" not in line
    ]
    report.equal("dpkg --verify", [line for line in amiss if not line.endswith("/doc/ucmkd")], [])
    for unit in (installed.UNIT, installed.SOCKET_UNIT):
        report.equal(f"{unit} is enabled", run("systemctl", "is-enabled", unit), "enabled")
        active = run("systemctl", "is-active", unit, check=False)
        report.equal(f"{unit} runs", active, "active")
    report.equal("its user", run("id", "-un", "ucmkd"), "ucmkd")
    # Programs that the suite needs and a package does not have.
    installed.install_programs(options.binaries)
    # On a machine that is slow itself a critical round's half second is too little.
    installed.drop_in("ucmkd/ucmkd.conf.d/slow.conf", "[Pressure]\nCritical=full 1s/1s\n")
    installed.restart()


def check_upgrade(report):
    """Clients that are connected come back, and the socket stays the same."""
    names = installed.NAMES
    for name in names[1:]:
        start_client(name, installed.CACHE_MIB, installed.SLICE)
    report.equal("clients before", wait_for_clients(names), names)
    before = (os.stat(SOCKET).st_ino, installed.main_process())
    run("sh", "-c", "dpkg -i packages/*.deb", timeout=DPKG_SECONDS)
    report.equal("clients after the upgrade", wait_for_clients(names), names)
    report.equal("the socket is the same", os.stat(SOCKET).st_ino, before[0])
    report.equal("the process is another", installed.main_process() not in (0, before[1]), True)
    for name in names:
        stop(name)


def check_purge(report):
    """Nothing of the packages is left but a user whose number must not be given away."""
    run("/usr/bin/ucmkctl", "surface", "enable", "cgroup-triggers")
    run("dpkg", "--remove", *PACKAGES, timeout=DPKG_SECONDS)
    report.equal("settings stay", os.path.exists("/etc/ucmkd/ucmkd.conf.d/slow.conf"), True)
    wait_until(lambda: not os.path.exists(SOCKET), installed.WAIT_SECONDS)
    report.equal("the socket goes", os.path.exists(SOCKET), False)
    run("dpkg", "--purge", *PACKAGES, timeout=DPKG_SECONDS)
    words = run("find", "/", "-xdev", "-name", "*ucmk*", check=False).splitlines()
    own = [path for path in words if not path.startswith(KEPT) and not owned_by_suite(path)]
    report.equal("files after purge", sorted(own), [])
    report.equal("units after purge", glob.glob("/run/systemd/generator*/*ucmk*"), [])


def owned_by_suite(path):
    """Whether it lies in the folder that the sandbox shares."""
    return path.startswith(os.getcwd())


def suite(report, options):
    """Runs the checks; the later ones need what the earlier ones started."""
    with report.step("install"):
        check_install(report, options)
    installed.run_checks(report)
    for name, check in (("upgrade", check_upgrade), ("purge", check_purge)):
        with report.step(name):
            check(report)
