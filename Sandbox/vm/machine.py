# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""One boot of a guest under qemu: start, pass the output on, learn how the command ended.

The processor is emulated (TCG): no /dev/kvm is needed, so this works on any build machine, and
pure computation is about fifteen times slower than outside. Everything that two runs could share
is in a folder of the run's own; there is no port and no fixed path.
"""

import ctypes
import os
import select
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from .process import SandboxError

TIME_LIMIT_STATUS = 124
FAILED_STATUS = 125

# Shown of the console and of qemu's messages where the guest ended without a status.
SHOWN_CONSOLE = 4000

PR_SET_PDEATHSIG = 1

# Each entry either makes the guest what the tests need or shortens its boot under emulation.
KERNEL_COMMAND_LINE = (
    # What the tests need: pressure files and one unified hierarchy of control groups.
    "psi=1",
    "cgroup_no_v1=all",
    "systemd.unified_cgroup_hierarchy=1",
    # A failure ends the run at once instead of hanging until the time limit.
    "panic=-1",
    "systemd.crash_reboot=1",
    # The emulated time stamp counter looks unstable, and every other clock costs an exit.
    "tsc=reliable",
    "clocksource=tsc",
    "no_timer_check",
    # Work at boot that a throwaway system can do without.
    "quiet",
    "loglevel=3",
    "console=ttyS0",
    "8250.nr_uarts=1",
    "edd=off",
    "nokaslr",
    "mitigations=off",
    "audit=0",
    "apparmor=0",
    "selinux=0",
    "lsm=",
    "cryptomgr.notests",
    "random.trust_cpu=on",
    "rcupdate.rcu_expedited=1",
    "fstab=no",
    "systemd.gpt_auto=0",
    "systemd.show_status=0",
)


@dataclass
class BootOptions:
    """How to boot; nothing here changes what is in the image."""

    share: Path
    command: str
    environment: tuple = ()
    time_limit: float = 120.0
    memory_mib: int = 512
    processors: int = 2
    extra_disks_mib: tuple = ()
    console: str = ""
    no_wait: bool = False
    times: bool = False
    append: str = ""


def drive(number, path, snapshot):
    """Options for one virtio disk."""
    kind = "on" if snapshot else "off"
    return [
        *("-drive", f"if=none,id=disk{number},file={path},format=raw,cache=unsafe,snapshot={kind}"),
        *("-device", f"virtio-blk-pci,drive=disk{number}"),
    ]


def shared_folder(tag, path):
    """Options for one folder that the guest mounts by its tag."""
    return [
        *("-fsdev", f"local,id={tag},path={path},security_model=none,multidevs=remap"),
        *("-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"),
    ]


def qemu_arguments(image, folder, options, output):
    """The command line of the emulator; `output` is the descriptor that the guest prints to."""
    arguments = [
        "qemu-system-x86_64",
        *("-accel", "tcg,thread=multi,tb-size=256"),
        *("-machine", "q35", "-cpu", "max", "-smp", str(options.processors)),
        *("-m", f"{options.memory_mib}M"),
        *("-nodefaults", "-no-user-config", "-no-reboot", "-display", "none"),
        *("-kernel", str(image / "kernel"), "-initrd", str(image / "initramfs")),
        *("-append", " ".join([*KERNEL_COMMAND_LINE, options.append]).strip()),
        *("-serial", f"file:{options.console or folder / 'console'}"),
        *drive(0, image / "root.ext4", snapshot=True),
        *shared_folder("control", folder / "control"),
        *shared_folder("share", options.share),
        # A pipe and not standard output: an end of file on qemu's input would stop the guest's.
        *("-device", "virtio-serial-pci", "-chardev", f"file,id=output,path=/dev/fd/{output}"),
        *("-device", "virtserialport,chardev=output,name=output"),
    ]
    for number, size in enumerate(options.extra_disks_mib, start=1):
        path = folder / f"disk{number}"
        with open(path, "wb") as disk:
            disk.truncate(size << 20)
        arguments += drive(number, path, snapshot=False)
    return arguments


def write_control(folder, options):
    """Leaves for the guest what it has to run, in the folder that only this run shares."""
    control = folder / "control"
    control.mkdir()
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in options.environment]
    if options.no_wait:
        lines.append("SANDBOX_NO_WAIT=1\n")
    (control / "environment").write_text("".join(lines), encoding="utf-8")
    (control / "command").write_text(options.command + "\n", encoding="utf-8")


def die_with_parent():
    """Runs in the child: a killed sandbox takes its guest with it."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def write_all(descriptor, data):
    """Writes all of `data`, however little each write takes."""
    while data:
        data = data[os.write(descriptor, data) :]


def pass_on(source, deadline, sink=1):
    """Copies from a pipe until its end; False where the deadline came first."""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        if select.select([source], [], [], left)[0]:
            data = os.read(source, 65536)
            if not data:
                return True
            write_all(sink, data)


def tail(path):
    """The end of a text file, empty where there is none."""
    return path.read_text(errors="replace")[-SHOWN_CONSOLE:].strip() if path.exists() else ""


class Machine:
    """A guest from its start to its end."""

    def __init__(self, image, folder, options):
        self.image = image
        self.folder = folder
        self.options = options

    def run(self):
        """Boots, runs the command, and returns the status to exit with."""
        write_control(self.folder, self.options)
        started = time.monotonic()
        ended = self._emulate(started + self.options.time_limit)
        if self.options.times:
            self._print_times(time.monotonic() - started)
        status = self.folder / "control" / "status"
        if status.exists():
            return int(status.read_text(encoding="utf-8"))
        if not ended:
            limit = self.options.time_limit
            print(f"vm-sandbox: stopped at the time limit of {limit:g} s", file=sys.stderr)
        else:
            print("vm-sandbox: the guest ended without a status", file=sys.stderr)
        self._print_last_words()
        return FAILED_STATUS if ended else TIME_LIMIT_STATUS

    def _emulate(self, deadline):
        read_end, write_end = os.pipe()
        arguments = qemu_arguments(self.image, self.folder, self.options, write_end)
        try:
            with open(self.folder / "messages", "wb") as messages:
                qemu = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=messages,
                    stderr=messages,
                    env=dict(os.environ, TMPDIR=str(self.folder)),
                    pass_fds=[write_end],
                    preexec_fn=die_with_parent,
                )
        except FileNotFoundError as error:
            os.close(read_end)
            raise SandboxError("qemu-system-x86_64 is not installed") from error
        finally:
            os.close(write_end)
        try:
            ended = pass_on(read_end, deadline)
            if ended:
                qemu.wait()
            return ended
        finally:
            os.close(read_end)
            qemu.kill()
            qemu.wait()

    def _print_times(self, total):
        times = self.folder / "control" / "times"
        guest = times.read_text(encoding="utf-8").split() if times.exists() else ["-"] * 3
        print(
            f"vm-sandbox: {total:.1f} s in all; guest uptime: runner {guest[0]} s, "
            f"ready {guest[1]} s, end {guest[2]} s",
            file=sys.stderr,
        )

    def _print_last_words(self):
        console = Path(self.options.console or self.folder / "console")
        for name, path in (("qemu", self.folder / "messages"), ("console", console)):
            words = tail(path)
            if words:
                print(f"vm-sandbox: end of {name}:\n{words}", file=sys.stderr)
