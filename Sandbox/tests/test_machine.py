# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""One boot: what the emulator is told, and what the command line means."""

import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import places
from vm.command import boot_options, image_options, parser
from vm.machine import BootOptions, pass_on, qemu_arguments, write_control
from vm.process import SandboxError


class Case(unittest.TestCase):
    """A folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)

    def chosen(self, *words):
        """The boot's options for a command line."""
        return boot_options(parser().parse_args(words), self.top)


class ArgumentTests(Case):
    """The emulator's command line."""

    def arguments(self, **more):
        """For a boot with the given options."""
        options = BootOptions(share=self.top, command="true", **more)
        return qemu_arguments(Path("/image"), self.top, options, 7)

    def test_the_root_disk_is_thrown_away(self):
        disks = [text for text in self.arguments() if "id=disk0" in text]
        self.assertEqual(
            disks,
            ["if=none,id=disk0,file=/image/root.ext4,format=raw,cache=unsafe,snapshot=on"],
        )

    def test_there_is_no_network(self):
        self.assertIn("-nodefaults", self.arguments())
        self.assertNotIn("-netdev", self.arguments())

    def test_extra_disks_are_empty_and_of_the_wanted_size(self):
        words = self.arguments(extra_disks_mib=(3, 5))
        self.assertEqual((self.top / "disk1").stat().st_size, 3 << 20)
        self.assertEqual((self.top / "disk2").stat().st_size, 5 << 20)
        self.assertIn("virtio-blk-pci,drive=disk2", words)

    def test_more_for_the_kernel_comes_last(self):
        words = self.arguments(append="quiet=no")
        line = words[words.index("-append") + 1]
        self.assertTrue(line.startswith("psi=1 cgroup_no_v1=all "), line)
        self.assertTrue(line.endswith(" quiet=no"), line)


class ControlTests(Case):
    """What the guest is told."""

    def test_values_reach_a_shell_unchanged(self):
        value = 'it\'s "so" $HOME \\ \n `x`'
        write_control(self.top, self.chosen("--env", f"A={value}", "--", "true"))
        script = f'. {self.top}/control/environment; printf %s "$A"'
        found = subprocess.run(["bash", "-c", script], stdout=subprocess.PIPE, check=True).stdout
        self.assertEqual(found.decode(), value)

    def test_one_word_is_a_script_and_several_are_a_command(self):
        self.assertEqual(self.chosen("--", "a; b").command, "a; b")
        self.assertEqual(self.chosen("--", "a", "b c", "--d").command, "a 'b c' --d")

    def test_a_variable_needs_a_name_and_a_value(self):
        for text in ("A", "=1", "A B=1", "1=1"):
            with self.assertRaisesRegex(SandboxError, "wanted NAME=VALUE"):
                self.chosen("--env", text, "--", "true")


class OutputTests(Case):
    """What the guest prints."""

    def setUp(self):
        super().setUp()
        self.source, self.guest = os.pipe()
        self.addCleanup(os.close, self.source)

    def test_all_of_it_is_passed_on(self):
        text = b"x" * 50_000
        os.write(self.guest, text)
        os.close(self.guest)
        with open(self.top / "out", "w+b") as sink:
            self.assertTrue(pass_on(self.source, time.monotonic() + 10, sink.fileno()))
            sink.seek(0)
            self.assertEqual(sink.read(), text)

    def test_a_guest_that_never_ends_meets_the_deadline(self):
        self.addCleanup(os.close, self.guest)
        self.assertFalse(pass_on(self.source, time.monotonic() + 0.01))


class CommandTests(Case):
    """The program."""

    def test_packages_are_sorted_and_blanks_left_out(self):
        options = image_options(parser().parse_args(["--include", "udev,,gdb", "--build-only"]))
        self.assertEqual(options.include, ("gdb", "udev"))

    def test_no_command_is_a_usage_error(self):
        script = str(places.TOP / "Scripts/vm-sandbox")
        done = subprocess.run([script], stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"no command", done.stderr)

    def test_a_share_that_is_not_there_is_the_sandboxs_failure(self):
        script = str(places.TOP / "Scripts/vm-sandbox")
        missing = str(self.top / "missing")
        done = subprocess.run(
            [script, "--share", missing, "--cache", str(self.top), "--", "true"],
            stderr=subprocess.PIPE,
            check=False,
        )
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"no such folder", done.stderr)


if __name__ == "__main__":
    unittest.main()
