# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""What a guest is made of, and the name under which its image is kept."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

GUEST_FILES = Path(__file__).resolve().parent.parent / "guest"

# A system with systemd and a message bus, and what the suites and the project's executables load:
# Swift linked statically still needs the C++ runtime, and the daemon libsystemd.
PACKAGES = (
    "busybox-static",
    "dbus",
    "kmod",
    "libgcc-s1",
    "libstdc++6",
    "libsystemd0",
    "procps",
    "python3",
    "systemd",
    "systemd-sysv",
    "util-linux",
)

# What the initramfs loads before there is a root file system. In a kernel that has one of them
# built in, that one is left out.
BOOT_MODULES = (
    "virtio_pci",
    "virtio_blk",
    "virtio_console",
    "crc32c_generic",
    "ext4",
    "9p",
    "9pnet_virtio",
)

# For `modprobe` in the guest; one that the kernel does not have is left out.
GUEST_MODULES = (
    "autofs4",
    "brd",
    "configfs",
    "fuse",
    "loop",
    "lz4",
    "lz4_compress",
    "lzo",
    "lzo_rle",
    "overlay",
    "virtio_balloon",
    "zram",
    "zsmalloc",
    "zstd",
)

# Debian release in the guest -> what it is good for.
GUESTS = {
    "bookworm": "Debian 12: kernel 6.1, systemd 252",
    "trixie": "Debian 13: kernel 6.12, systemd 257",
}


@dataclass(frozen=True)
class ImageOptions:
    """Everything that decides what is in an image."""

    guest: str
    include: tuple = ()
    kernel: str = "amd64"
    disk_mib: int = 1024

    def packages(self):
        """Debian packages of the root file system, sorted, each once."""
        return sorted(set(PACKAGES) | set(self.include))

    def key(self):
        """The image's name: changes with each option and each script that makes the image."""
        digest = hashlib.sha256()
        facts = dict(asdict(self), include=None, packages=self.packages())
        digest.update(json.dumps(facts, sort_keys=True).encode())
        for path in build_inputs():
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return f"{self.guest}-{digest.hexdigest()[:12]}"


def build_inputs():
    """The files whose text decides what an image holds, in a fixed order."""
    here = Path(__file__).resolve().parent
    modules = ("options", "image", "initramfs", "kernel", "packages")
    return [here / f"{name}.py" for name in modules] + sorted(
        path for path in GUEST_FILES.iterdir() if path.is_file()
    )
