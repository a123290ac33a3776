# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Taking a Debian kernel package apart: the bare kernel, and modules in the order to load them.

The kernel is started as the ELF file inside the bzImage (through the PVH entry), because under
emulation the guest takes seconds to unpack itself and the host takes a fraction of one.
"""

import lzma
import struct
import subprocess
import zlib
from pathlib import Path

from .process import SandboxError

ELF_MAGIC = b"\x7fELF"

# Offsets in the setup header of a bzImage: Linux, Documentation/arch/x86/boot.rst.
SETUP_SECTORS_AT = 0x1F1
PAYLOAD_OFFSET_AT = 0x248
SECTOR = 512
DEFAULT_SETUP_SECTORS = 4


def payload(bzimage):
    """The compressed kernel inside the bytes of a bzImage."""
    sectors = bzimage[SETUP_SECTORS_AT] or DEFAULT_SETUP_SECTORS
    offset, length = struct.unpack_from("<II", bzimage, PAYLOAD_OFFSET_AT)
    start = (sectors + 1) * SECTOR + offset
    return bzimage[start : start + length]


def unpacked(data):
    """Decompresses gzip and xz here, zstd and lz4 by their tools; what follows the end is ignored.

    A kernel's payload has its unpacked size appended, which tools report as an error, so the
    caller has to judge the result and not the tool's exit status.
    """
    if data.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(wbits=31).decompress(data)
    if data.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data)
    for magic, tool in ((b"\x28\xb5\x2f\xfd", "zstd"), (b"\x02\x21\x4c\x18", "lz4")):
        if data.startswith(magic):
            return subprocess.run(
                [tool, "-dc"],
                input=data,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=False,
            ).stdout
    raise SandboxError("the kernel is compressed in a way that is not known here")


def bare_kernel(bzimage):
    """The ELF kernel inside the bytes of a bzImage."""
    elf = unpacked(payload(bzimage))
    if not elf.startswith(ELF_MAGIC):
        raise SandboxError("no ELF kernel came out of the bzImage")
    return elf


def module_name(path):
    """`virtio_blk` for `…/virtio-blk.ko.xz`: the kernel takes `-` and `_` for the same."""
    return Path(path).name.split(".ko", 1)[0].replace("-", "_")


def module_bytes(path):
    """A module's ELF file, unpacked where the distribution ships it compressed."""
    data = Path(path).read_bytes()
    return data if data.startswith(ELF_MAGIC) else unpacked(data)


def module_needs(elf):
    """The modules that a module needs, from the `depends=` text in its `.modinfo`."""
    start = elf.find(b"\0depends=")
    if start < 0:
        return []
    text = elf[start + len(b"\0depends=") :].split(b"\0", 1)[0].decode()
    return [name.replace("-", "_") for name in text.split(",") if name]


class ModuleTree:
    """The modules of one kernel, by name."""

    def __init__(self, folder):
        """`folder` is `…/lib/modules/<version>` of an unpacked kernel package."""
        self.folder = Path(folder)
        self.paths = {module_name(path): path for path in self.folder.rglob("*.ko*")}
        built_in = self.folder / "modules.builtin"
        lines = built_in.read_text(encoding="utf-8").splitlines() if built_in.exists() else []
        self.built_in = {module_name(line) for line in lines}

    def has(self, name):
        """Whether the module exists as a file."""
        return name in self.paths

    def load_order(self, names):
        """The named modules and all that they need, each after what it needs.

        Names that are built in are left out; a name that is neither raises SandboxError.
        """
        order = {}
        for name in names:
            self._visit(name.replace("-", "_"), order)
        return list(order.items())

    def _visit(self, name, order):
        if name in order or (name in self.built_in and name not in self.paths):
            return
        if name not in self.paths:
            raise SandboxError(f"the kernel {self.folder.name} has no module {name}")
        elf = module_bytes(self.paths[name])
        for needed in module_needs(elf):
            self._visit(needed, order)
        order[name] = elf
