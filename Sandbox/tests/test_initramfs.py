# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""The archive that a guest starts from."""

import unittest

from vm.initramfs import Archive, initramfs


def entries(data):
    """Reads an archive back: name -> (mode, device, content)."""
    found, position = {}, 0
    while True:
        assert data[position : position + 6] == b"070701" and position % 4 == 0, position
        fields = [int(data[position + 6 + 8 * i : position + 14 + 8 * i], 16) for i in range(13)]
        mode, size, device, length = fields[1], fields[6], (fields[9], fields[10]), fields[11]
        name = data[position + 110 : position + 110 + length - 1].decode()
        start = (position + 110 + length + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, device, data[start : start + size])
        position = (start + size + 3) // 4 * 4


class ArchiveTests(unittest.TestCase):
    """The form."""

    def test_an_entry_is_written_as_the_kernel_reads_it(self):
        archive = Archive()
        archive.file("a", b"text", 0o755)
        expected = (
            b"07070100000001000081ED000000000000000000000001000000000000000400000000"
            b"00000000000000000000000000000002" + b"00000000" + b"a\0" + b"text"
        )
        self.assertEqual(archive.bytes()[: len(expected)], expected)

    def test_names_and_contents_of_any_length_stay_aligned(self):
        archive = Archive()
        for length in range(9):
            archive.file("n" * (length + 1), b"c" * length)
        found = entries(archive.bytes())
        self.assertEqual([len(found["n" * (n + 1)][2]) for n in range(9)], list(range(9)))


class ContentTests(unittest.TestCase):
    """What is in it."""

    def test_holds_the_script_the_tool_and_the_modules_in_order(self):
        found = entries(initramfs(b"#!script", b"tool", [("b", b"B"), ("a", b"A")]))
        self.assertEqual(found["init"], (0o100755, (0, 0), b"#!script"))
        self.assertEqual(found["bin/busybox"], (0o100755, (0, 0), b"tool"))
        self.assertEqual(found["modules/order"][2], b"b\na\n")
        self.assertEqual(found["modules/b.ko"][2], b"B")

    def test_has_a_console_before_devices_are_mounted(self):
        self.assertEqual(entries(initramfs(b"", b"", []))["dev/console"], (0o020600, (5, 1), b""))


if __name__ == "__main__":
    unittest.main()
