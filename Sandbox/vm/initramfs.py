# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the first file system of a guest: a cpio archive in the kernel's `newc` form.

Written here rather than with cpio(1) so that neither a root user nor a device node on the host
is needed (form: Linux, Documentation/driver-api/early-userspace/buffer-format.rst).
"""

import io
import stat

ALIGNMENT = 4
TRAILER = "TRAILER!!!"


def padding(length):
    """Zero bytes up to the next multiple of four."""
    return b"\0" * (-length % ALIGNMENT)


class Archive:
    """Collects entries; `bytes()` closes the archive."""

    def __init__(self):
        self.out = io.BytesIO()
        self.inode = 0

    def _entry(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        path = name.encode() + b"\0"
        # inode, mode, uid, gid, links, time, size, device of the file, device node, name, checksum
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
        header = b"070701" + b"".join(b"%08X" % field for field in fields)
        self.out.write(header + path + padding(len(header) + len(path)))
        self.out.write(data + padding(len(data)))

    def folder(self, name):
        """Adds a folder."""
        self._entry(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o644):
        """Adds a file with the given bytes."""
        self._entry(name, stat.S_IFREG | mode, data)

    def character_device(self, name, major, minor):
        """Adds a character device."""
        self._entry(name, stat.S_IFCHR | 0o600, device=(major, minor))

    def bytes(self):
        """The finished archive."""
        self._entry(TRAILER, 0)
        return self.out.getvalue()


def initramfs(init, busybox, modules):
    """An archive that loads `modules` (name and ELF bytes, in order) and runs the script `init`."""
    archive = Archive()
    for name in ("bin", "dev", "modules", "proc", "root"):
        archive.folder(name)
    # The kernel opens the console for the first process before /dev is mounted.
    archive.character_device("dev/console", 5, 1)
    archive.file("init", init, 0o755)
    archive.file("bin/busybox", busybox, 0o755)
    names = []
    for name, elf in modules:
        archive.file(f"modules/{name}.ko", elf)
        names.append(f"{name}\n")
    archive.file("modules/order", "".join(names).encode())
    return archive.bytes()
