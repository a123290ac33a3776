# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Makes the three files that a guest boots from: `kernel`, `initramfs` and `root.ext4`.

Needs root, for mmdebstrap to make a root file system with its owners and modes.
"""

import os
import shutil

from .initramfs import initramfs
from .kernel import ModuleTree, bare_kernel
from .options import BOOT_MODULES, GUEST_FILES, GUEST_MODULES
from .packages import apt_options, sources_for
from .process import SandboxError, run

# Debian 12 and 13 agree on a fixed identity; without one, systemd does its first-boot work.
MACHINE_ID = "75636d6b64736e64626f780000000001\n"

JOURNAL = "[Journal]\nStorage=volatile\nForwardToConsole=no\nAudit=no\n"

# Later than any file in the image, within the 32 bits of ext4: systemd's `ConditionNeedsUpdate=`
# compares with the time of /usr and has to find nothing to do.
FAR_FUTURE = 2**31 - 2

UNNEEDED = ("usr/share/doc", "usr/share/locale", "usr/share/man", "usr/share/info")


def write(path, text, mode=0o644):
    """Writes a file in place of whatever is there, a symbolic link included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.exists():
        path.unlink()
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def mask(unit):
    """Points a unit or generator at nothing, which is how systemd is told not to run it."""
    unit.parent.mkdir(parents=True, exist_ok=True)
    if unit.is_symlink() or unit.exists():
        unit.unlink()
    unit.symlink_to("/dev/null")


def listed(path):
    """The lines of a list, without comments and blanks."""
    lines = (
        line.split("#", 1)[0].strip() for line in path.read_text(encoding="utf-8").splitlines()
    )
    return [line for line in lines if line]


def make_root(options, folder, progress):
    """Makes the root file system in `folder/root` and fetches the kernel into `folder`."""
    progress.say(f"making the root file system of {options.guest}")
    sources = sources_for(options.guest)
    if not sources:
        raise SandboxError(f"the host's apt sources do not lead to {options.guest}")
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(options.packages())}",
        f"--customize-hook={GUEST_FILES}/fetch-kernel linux-image-{options.kernel} '{folder}'",
    ]
    command += [f"--dpkgopt=path-exclude=/{path}/*" for path in UNNEEDED]
    command += [f"--aptopt={option}" for option in apt_options()]
    run([*command, options.guest, str(folder / "root"), *sources])


def unpack_kernel(folder):
    """Unpacks the kernel's package; returns its modules and the bytes of its bzImage."""
    run(["dpkg-deb", "-x", str(folder / "kernel.deb"), str(folder / "package")])
    # Debian 13 ships modules under /usr/lib, Debian 12 under /lib.
    found = [*folder.glob("package/lib/modules/*"), *folder.glob("package/usr/lib/modules/*")]
    images = list(folder.glob("package/boot/vmlinuz-*"))
    if len(found) != 1 or len(images) != 1:
        raise SandboxError("the kernel's package is not laid out as expected")
    return ModuleTree(found[0]), images[0].read_bytes()


def add_modules(root, tree):
    """Puts the modules of a guest, unpacked, where `modprobe` finds them."""
    target = root / "usr/lib/modules" / tree.folder.name
    target.mkdir(parents=True)
    wanted = [name for name in GUEST_MODULES if tree.has(name)]
    for name, elf in tree.load_order([*BOOT_MODULES, *wanted]):
        (target / f"{name}.ko").write_bytes(elf)
    for name in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        shutil.copy(tree.folder / name, target / name)
    run(["chroot", str(root), "depmod", tree.folder.name])


def configure(root):
    """Gives the root file system one thing to do, and takes away the rest."""
    units = root / "etc/systemd/system"
    write(root / "etc/hostname", "sandbox\n")
    write(root / "etc/hosts", "127.0.0.1 localhost sandbox\n")
    write(root / "etc/fstab", "")
    write(root / "etc/machine-id", MACHINE_ID, 0o444)
    write(root / "etc/systemd/journald.conf.d/sandbox.conf", JOURNAL)
    for source, target, mode in (
        ("run-command", root / "usr/local/sbin/sandbox-run-command", 0o755),
        ("sandbox-command.service", units / "sandbox-command.service", 0o644),
    ):
        write(target, (GUEST_FILES / source).read_text(encoding="utf-8"), mode)
    for folder in ("control", "share"):
        (root / "mnt" / folder).mkdir(parents=True, exist_ok=True)
    for unit in listed(GUEST_FILES / "masked-units"):
        mask(units / unit)
    for generator in sorted((root / "usr/lib/systemd/system-generators").iterdir()):
        mask(root / "etc/systemd/system-generators" / generator.name)
    run(["chroot", str(root), "systemctl", "set-default", "multi-user.target"])
    run(["chroot", str(root), "systemctl", "enable", "sandbox-command.service"])
    for cached in [root / "var/lib/apt/lists", root / "var/cache/apt"]:
        shutil.rmtree(cached, ignore_errors=True)
    for stamp in (root / "etc/.updated", root / "var/.updated"):
        stamp.touch()
        os.utime(stamp, (FAR_FUTURE, FAR_FUTURE))
    os.utime(root / "usr", (1, 1))


def build(options, folder, progress):
    """Makes an image in the empty folder `folder`."""
    if os.geteuid() != 0:
        raise SandboxError("making a guest's image needs root")
    work = folder / "work"
    work.mkdir()
    # The package manager's unprivileged user has to be able to reach what is inside.
    for path in (folder, work):
        path.chmod(0o755)
    make_root(options, work, progress)
    root = work / "root"
    progress.say("unpacking the kernel and its modules")
    tree, bzimage = unpack_kernel(work)
    (folder / "kernel").write_bytes(bare_kernel(bzimage))
    busybox = next(
        path for path in (root / "usr/bin/busybox", root / "bin/busybox") if path.exists()
    )
    init = (GUEST_FILES / "init").read_bytes()
    (folder / "initramfs").write_bytes(
        initramfs(init, busybox.read_bytes(), tree.load_order(BOOT_MODULES))
    )
    add_modules(root, tree)
    configure(root)
    progress.say("writing the disk image")
    systemd = run(["chroot", str(root), "dpkg-query", "-W", "-f", "${Version}", "systemd"])
    # No journal and no checksums: the disk lives as long as one run.
    form = [
        "-t",
        "ext4",
        "-O",
        "^metadata_csum,^has_journal",
        "-E",
        "lazy_itable_init=0",
        "-m",
        "0",
    ]
    disk = str(folder / "root.ext4")
    run(["mke2fs", "-q", *form, "-d", str(root), disk, f"{options.disk_mib}M"])
    facts = f"guest {options.guest}\nkernel {tree.folder.name}\nsystemd {systemd}\n"
    facts += f"packages {' '.join(options.packages())}\nseconds {progress.seconds():.1f}\n"
    (folder / "info").write_text(facts, encoding="utf-8")
    shutil.rmtree(work)
