# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Arguments of `vm-sandbox`, and the order of things."""

import argparse
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from .image import build
from .machine import FAILED_STATUS, BootOptions, Machine
from .options import GUESTS, ImageOptions
from .process import Progress, SandboxError
from .runfolder import run_folder
from .store import Store, default_folder

DESCRIPTION = """\
Runs a command with bash in a throwaway Debian system under emulation (qemu): cgroup v2 with the
memory controller, pressure triggers, and systemd as process 1.

The first run for a guest builds its image (about a minute, as root); later runs only boot it
(about seven seconds). The folder given with --share is mounted read-write at /mnt/share, where the
command starts; what runs often should be copied off it first. There is no network. One argument
after -- is a shell script, several are one command."""

STATUS = """\
exit status: the command's own; 124 at the time limit; 125 when the sandbox itself failed"""


def parser():
    """The command line."""
    guests = "".join(f"\n  {name}: {what}" for name, what in GUESTS.items())
    arguments = argparse.ArgumentParser(
        prog="vm-sandbox",
        usage="vm-sandbox [options] -- COMMAND... | vm-sandbox [options] --build-only",
        description=DESCRIPTION,
        epilog=f"guests:{guests}\n\n{STATUS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = arguments.add_argument
    add("--guest", choices=sorted(GUESTS), default="bookworm")
    add("--share", metavar="DIR", type=Path, help="mounted at /mnt/share (a temporary folder)")
    add("--env", action="append", default=[], metavar="NAME=VALUE", help="for the command")
    add("--time-limit", type=float, default=120, metavar="SECONDS", help="of the boot (120)")
    add("--memory", type=int, default=512, metavar="MIB", help="of the guest (512)")
    add("--processors", type=int, default=2, metavar="N", help="of the guest (2)")
    add("--extra-disk", type=int, action="append", default=[], metavar="MIB", help="as /dev/vdb…")
    add("--no-wait", action="store_true", help="run the command before the boot has ended")
    add("--console", default="", metavar="FILE", help="keep what the guest's console shows")
    add("--append", default="", metavar="WORDS", help="more for the kernel's command line")
    add("--times", action="store_true", help="print how long the boot and the command took")
    add("--include", default="", metavar="PACKAGE,…", help="more packages in the image")
    add("--disk", type=int, default=1024, metavar="MIB", help="of the root file system (1024)")
    add("--cache", type=Path, metavar="DIR", help="where images are kept ($XDG_CACHE_HOME/ucmkd)")
    add("--rebuild", action="store_true", help="build the image even if there is one")
    add("--build-only", action="store_true", help="do not boot")
    add("--quiet", action="store_true", help="say nothing of the build")
    add("--make-image", type=Path, help=argparse.SUPPRESS)
    add("command", nargs="*", metavar="COMMAND", help=argparse.SUPPRESS)
    return arguments


def image_options(chosen):
    """What the arguments say of the image."""
    include = tuple(sorted(name for name in chosen.include.split(",") if name))
    return ImageOptions(guest=chosen.guest, include=include, disk_mib=chosen.disk)


def boot_options(chosen, share):
    """What the arguments say of the boot."""
    pairs = []
    for text in chosen.env:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise SandboxError(f"--env {text}: wanted NAME=VALUE")
        pairs.append((name, value))
    words = chosen.command
    return BootOptions(
        share=share.resolve(),
        command=words[0] if len(words) == 1 else shlex.join(words),
        environment=tuple(pairs),
        time_limit=chosen.time_limit,
        memory_mib=chosen.memory,
        processors=chosen.processors,
        extra_disks_mib=tuple(chosen.extra_disk),
        console=os.path.abspath(chosen.console) if chosen.console else "",
        no_wait=chosen.no_wait,
        times=chosen.times,
        append=chosen.append,
    )


def build_as_root(options, folder, progress):
    """Builds in `folder`, by sudo where this process is not root."""
    if os.geteuid() == 0:
        build(options, folder, progress)
        return
    script = Path(__file__).resolve().parents[2] / "Scripts" / "vm-sandbox"
    command = ["sudo", sys.executable, str(script), "--make-image", str(folder)]
    command += ["--guest", options.guest, "--disk", str(options.disk_mib)]
    command += ["--include", ",".join(options.include)]
    try:
        status = subprocess.call(command)
    except FileNotFoundError as error:
        raise SandboxError("making a guest's image needs root, and there is no sudo") from error
    if status != 0:
        raise SandboxError(f"building the image by sudo failed ({status})")


def make_image(options, folder, progress):
    """The part behind sudo: builds, and gives the files to the user who asked for them."""
    build(options, folder, progress)
    owner = (int(os.environ.get("SUDO_UID", "-1")), int(os.environ.get("SUDO_GID", "-1")))
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, *owner)


def boot(image, chosen):
    """One boot of the image; returns the status to exit with."""
    with run_folder() as folder:
        share = chosen.share or folder / "share"
        share.mkdir(exist_ok=True)
        return Machine(image, folder, boot_options(chosen, share)).run()


def stop(number, _frame):
    """Ends by an exception, so that every `finally` on the way cleans up."""
    raise SandboxError(f"ended by {signal.Signals(number).name}")


def main(words):
    """Runs the program; returns its exit status."""
    arguments = parser()
    chosen = arguments.parse_args(words)
    if not chosen.command and not chosen.build_only and not chosen.make_image:
        arguments.error("no command")
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    progress = Progress(chosen.quiet)
    options = image_options(chosen)
    try:
        if chosen.share and not chosen.share.is_dir():
            raise SandboxError(f"--share {chosen.share}: no such folder")
        if chosen.make_image:
            make_image(options, chosen.make_image, progress)
            return 0
        with Store(chosen.cache or default_folder(os.environ), progress) as store:
            image = store.image(
                options.key(),
                lambda folder: build_as_root(options, folder, progress),
                rebuild=chosen.rebuild,
            )
            return 0 if chosen.build_only else boot(image, chosen)
    except (SandboxError, OSError) as error:
        print(f"vm-sandbox: {error}", file=sys.stderr)
        return FAILED_STATUS
