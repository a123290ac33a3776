# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Running other programs, and the one error that the sandbox itself can end with."""

import subprocess
import sys
import time

# The end of a failed tool's output says why; apt's whole output would bury it.
SHOWN_OUTPUT = 3000


class SandboxError(Exception):
    """The sandbox could not do its own part; says nothing about the command in it."""


def run(arguments, **options):
    """Runs a program to its end and returns what it printed.

    Raises SandboxError with the end of the output if it exits non-zero or is not installed.
    """
    try:
        done = subprocess.run(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **options,
        )
    except FileNotFoundError as error:
        raise SandboxError(f"{arguments[0]} is not installed (Scripts/deps sandbox)") from error
    text = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        raise SandboxError(f"{' '.join(arguments)}: exit {done.returncode}\n{text[-SHOWN_OUTPUT:]}")
    return text


class Progress:
    """Lines on standard error, each with the seconds since the start."""

    def __init__(self, quiet=False):
        self.start = time.monotonic()
        self.quiet = quiet

    def seconds(self):
        """Seconds since this was made."""
        return time.monotonic() - self.start

    def say(self, text):
        """Prints one line unless quiet."""
        if not self.quiet:
            print(f"vm-sandbox: [{self.seconds():5.1f} s] {text}", file=sys.stderr, flush=True)
