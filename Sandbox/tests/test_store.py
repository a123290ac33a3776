# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Images between runs, and the folders of runs."""

import fcntl
import os
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

from vm import runfolder, store
from vm.options import GUEST_FILES, ImageOptions
from vm.process import Progress, SandboxError
from vm.store import Store, default_folder, drop_unused


class Case(unittest.TestCase):
    """A folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.top = Path(folder.name)
        self.built = []

    def build(self, folder):
        """Makes an image that can be told from others."""
        self.built.append(folder.name)
        (folder / "kernel").write_text(str(len(self.built)), encoding="utf-8")


class KeyTests(unittest.TestCase):
    """The name of an image."""

    def test_depends_on_each_option(self):
        keys = {
            ImageOptions("bookworm").key(),
            ImageOptions("trixie").key(),
            ImageOptions("bookworm", include=("udev",)).key(),
            ImageOptions("bookworm", disk_mib=2048).key(),
            ImageOptions("bookworm", kernel="cloud-amd64").key(),
        }
        self.assertEqual(len(keys), 5)

    def test_the_order_of_packages_does_not_matter(self):
        one, two = ImageOptions("trixie", ("udev", "gdb")), ImageOptions("trixie", ("gdb", "udev"))
        self.assertEqual(one.key(), two.key())

    def test_depends_on_the_guests_scripts(self):
        before = ImageOptions("bookworm").key()
        changed = GUEST_FILES / "init"
        with mock.patch("vm.options.build_inputs", return_value=[changed]):
            self.assertNotEqual(ImageOptions("bookworm").key(), before)

    def test_says_which_guest_it_is(self):
        self.assertRegex(ImageOptions("bookworm").key(), "^bookworm-[0-9a-f]{12}$")


class FolderTests(unittest.TestCase):
    """Where images are kept."""

    def test_follows_the_users_settings(self):
        self.assertEqual(default_folder({"XDG_CACHE_HOME": "/c"}), Path("/c/ucmkd/sandbox"))

    def test_a_relative_setting_counts_as_none(self):
        home = Path(os.path.expanduser("~"))
        for environment in ({}, {"XDG_CACHE_HOME": ""}, {"XDG_CACHE_HOME": "c"}):
            self.assertEqual(default_folder(environment), home / ".cache/ucmkd/sandbox")


class StoreTests(Case):
    """Building once."""

    def test_the_second_run_finds_what_the_first_has_built(self):
        with Store(self.top, Progress(quiet=True)) as images:
            first = images.image("a-1", self.build)
            second = images.image("a-1", self.build)
        self.assertEqual((first, second), (self.top / "a-1", self.top / "a-1"))
        self.assertEqual(len(self.built), 1)

    def test_rebuilding_replaces_it(self):
        with Store(self.top, Progress(quiet=True)) as images:
            images.image("a-1", self.build)
            again = images.image("a-1", self.build, rebuild=True)
        self.assertEqual((again / "kernel").read_text(encoding="utf-8"), "2")

    def test_a_failed_build_leaves_nothing_behind(self):
        def fail(folder):
            (folder / "half").touch()
            raise SandboxError("no")

        with Store(self.top, Progress(quiet=True)) as images, self.assertRaises(SandboxError):
            images.image("a-1", fail)
        self.assertEqual([path.name for path in self.top.iterdir()], ["a-1.lock"])

    def test_what_a_killed_build_left_is_removed(self):
        (self.top / "a-1.new-x").mkdir()
        with Store(self.top, Progress(quiet=True)) as images:
            images.image("a-1", self.build)
        self.assertFalse((self.top / "a-1.new-x").exists())

    def test_runs_at_the_same_time_build_once(self):
        def run():
            with Store(self.top, Progress(quiet=True)) as images:
                images.image("a-1", self.build)

        threads = [threading.Thread(target=run) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(self.built), 1)

    def test_without_a_writable_folder_it_works_in_a_temporary_one(self):
        (self.top / "file").touch()
        with Store(self.top / "file" / "below", Progress(quiet=True)) as images:
            entry = images.image("a-1", self.build)
            self.assertTrue((entry / "kernel").exists())
        self.assertFalse(entry.exists())

    def test_images_that_nothing_asks_for_go(self):
        now = 1_000_000_000
        for name, age in (("old", store.UNUSED_SECONDS), ("new", 5), ("kept", 10**8)):
            (self.top / name).mkdir()
            (self.top / name / "used").touch()
            os.utime(self.top / name / "used", (now - age, now - age))
        self.assertEqual(drop_unused(self.top, self.top / "kept", now), ["old"])
        self.assertEqual(sorted(path.name for path in self.top.iterdir()), ["kept", "new"])


class RunFolderTests(Case):
    """What killed runs leave."""

    def folder(self, name):
        """A folder as a run makes it."""
        path = self.top / f"{runfolder.PREFIX}{name}"
        path.mkdir()
        return path

    def test_removes_only_what_is_nobodys(self):
        dead, alive = self.folder("dead"), self.folder("alive")
        descriptor = os.open(alive, os.O_RDONLY)
        self.addCleanup(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        later = dead.stat().st_mtime + runfolder.YOUNGEST_SECONDS + 1
        self.assertEqual(runfolder.sweep(self.top, later), [dead.name])
        self.assertTrue(alive.exists())

    def test_leaves_a_folder_that_may_not_be_locked_yet(self):
        fresh = self.folder("fresh")
        self.assertEqual(runfolder.sweep(self.top, fresh.stat().st_mtime + 1), [])

    def test_leaves_other_folders_alone(self):
        (self.top / "other").mkdir()
        self.assertEqual(runfolder.sweep(self.top, 2**40), [])

    def test_goes_with_the_block_even_after_an_error(self):
        with mock.patch("tempfile.gettempdir", return_value=str(self.top)):
            with self.assertRaises(SandboxError), runfolder.run_folder() as folder:
                (folder / "file").touch()
                raise SandboxError("no")
        self.assertFalse(folder.exists())


if __name__ == "__main__":
    unittest.main()
