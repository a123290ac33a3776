# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Where packages come from."""

import unittest
from pathlib import Path

from vm.packages import Archive, parse_targets, source_lines

MAIN = Archive("http://mirror.example/debian", "Debian", "bookworm")
UPDATES = Archive("http://mirror.example/debian", "Debian", "bookworm-updates")
SECURITY = Archive("http://mirror.example/security", "Debian-Security", "bookworm-security")
NO_KEYS = Path("/nowhere")


class TargetsTests(unittest.TestCase):
    """`apt-get indextargets`."""

    def test_takes_debian_main_only_and_each_once(self):
        text = (
            "http://mirror.example/debian/|Debian|Debian|bookworm|main\n"
            "http://mirror.example/debian/|Debian|Debian|bookworm|main\n"
            "http://mirror.example/debian/|Debian|Debian|bookworm|contrib\n"
            "http://other.example/apt/|Somebody|Debian|bookworm|main\n"
            "http://new.example/apt/||||main\n"
            "\n"
        )
        self.assertEqual(parse_targets(text), [MAIN])

    def test_an_archive_without_an_index_is_unknown(self):
        self.assertEqual(parse_targets("http://mirror.example/debian/||||main\n"), [])


class SourcesTests(unittest.TestCase):
    """The guest's sources.list."""

    def test_the_hosts_own_release_comes_with_its_updates_and_fixes(self):
        self.assertEqual(
            source_lines([SECURITY, MAIN, UPDATES], "bookworm", NO_KEYS),
            [
                "deb http://mirror.example/security bookworm-security main",
                "deb http://mirror.example/debian bookworm main",
                "deb http://mirror.example/debian bookworm-updates main",
            ],
        )

    def test_another_release_comes_from_the_same_archive(self):
        self.assertEqual(
            source_lines([SECURITY, MAIN, UPDATES], "trixie", NO_KEYS),
            ["deb http://mirror.example/debian trixie main"],
        )

    def test_updates_that_the_host_does_not_take_are_not_assumed(self):
        self.assertEqual(
            source_lines([MAIN], "bookworm", NO_KEYS),
            ["deb http://mirror.example/debian bookworm main"],
        )

    def test_a_keyring_that_is_there_signs(self):
        here = Path(__file__)
        self.assertEqual(
            source_lines([MAIN], "bookworm", here),
            [f"deb [signed-by={here}] http://mirror.example/debian bookworm main"],
        )

    def test_only_security_leads_to_no_other_release(self):
        self.assertEqual(source_lines([SECURITY], "trixie", NO_KEYS), [])


if __name__ == "__main__":
    unittest.main()
