# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Kernel images and their modules."""

import gzip
import lzma
import struct
import tempfile
import unittest
from pathlib import Path

from vm.kernel import ModuleTree, bare_kernel, module_name, module_needs, payload, unpacked
from vm.process import SandboxError

ELF = b"\x7fELF the kernel"


def bzimage(packed, setup_sectors=4, offset=16):
    """An image with nothing but the fields that matter."""
    image = bytearray(1024)
    image[0x1F1] = setup_sectors
    struct.pack_into("<II", image, 0x248, offset, len(packed))
    start = ((setup_sectors or 4) + 1) * 512 + offset
    return bytes(image).ljust(start, b"\0") + packed + b"after the payload"


class ImageTests(unittest.TestCase):
    """A bzImage."""

    def test_finds_the_payload_behind_the_setup_sectors(self):
        self.assertEqual(payload(bzimage(b"packed", setup_sectors=7)), b"packed")

    def test_no_setup_sectors_stand_for_four(self):
        self.assertEqual(payload(bzimage(b"packed", setup_sectors=0)), b"packed")

    def test_unpacks_xz_and_gzip_with_a_size_behind_them(self):
        for packed in (lzma.compress(ELF), gzip.compress(ELF)):
            self.assertEqual(bare_kernel(bzimage(packed + b"\x0e\0\0\0")), ELF)

    def test_refuses_what_it_does_not_know(self):
        with self.assertRaisesRegex(SandboxError, "compressed in a way"):
            unpacked(b"plain")

    def test_refuses_a_payload_that_is_no_kernel(self):
        with self.assertRaisesRegex(SandboxError, "no ELF kernel"):
            bare_kernel(bzimage(gzip.compress(b"something else")))


class ModuleTests(unittest.TestCase):
    """Modules and what they need."""

    def test_a_name_is_the_same_however_it_is_spelled(self):
        for path in ("a/virtio-blk.ko", "a/virtio_blk.ko.xz", "kernel/virtio_blk.ko.zst"):
            self.assertEqual(module_name(path), "virtio_blk")

    def test_reads_needs_from_the_module_itself(self):
        self.assertEqual(module_needs(ELF + b"\0depends=jbd2,crc-16\0x"), ["jbd2", "crc_16"])
        self.assertEqual(module_needs(ELF + b"\0depends=\0x"), [])
        self.assertEqual(module_needs(ELF), [])


class TreeTests(unittest.TestCase):
    """The order of loading."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        self.module("ext4", "jbd2,mbcache")
        self.module("jbd2", "crc16")
        self.module("mbcache", "")
        self.module("crc16", "", packed=True)
        (self.top / "modules.builtin").write_text("kernel/virtio-pci.ko\n", encoding="utf-8")

    def module(self, name, needs, packed=False):
        """Writes a module that needs others."""
        data = ELF + b"\0depends=" + needs.encode() + b"\0"
        path = self.top / (f"{name}.ko.xz" if packed else f"{name}.ko")
        path.write_bytes(lzma.compress(data) if packed else data)

    def test_each_comes_after_what_it_needs_and_once(self):
        order = [name for name, _ in ModuleTree(self.top).load_order(["ext4", "jbd2"])]
        self.assertEqual(order, ["crc16", "jbd2", "mbcache", "ext4"])

    def test_modules_come_out_unpacked(self):
        elf = dict(ModuleTree(self.top).load_order(["crc16"]))["crc16"]
        self.assertEqual(elf, ELF + b"\0depends=\0")

    def test_what_is_built_in_is_left_out(self):
        self.assertEqual(ModuleTree(self.top).load_order(["virtio_pci"]), [])

    def test_what_is_nowhere_is_an_error(self):
        with self.assertRaisesRegex(SandboxError, "no module 9p"):
            ModuleTree(self.top).load_order(["9p"])


if __name__ == "__main__":
    unittest.main()
