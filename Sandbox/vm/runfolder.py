# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of one run, and the removal of those that killed runs have left behind.

A run holds a lock on its folder. The kernel drops the lock with the process, however it ended, so
a folder that can be locked by somebody else belongs to nobody.
"""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

PREFIX = "ucmkd-sandbox-run-"

# Between the making of a folder and the lock on it lie microseconds; this leaves no doubt.
YOUNGEST_SECONDS = 60


def sweep(parent, now):
    """Removes folders of runs that are no more; returns their names."""
    removed = []
    for folder in sorted(Path(parent).glob(f"{PREFIX}*")):
        try:
            if now - folder.stat().st_mtime < YOUNGEST_SECONDS:
                continue
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            # Gone meanwhile, or another user's.
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)
    return removed


@contextmanager
def run_folder():
    """A locked temporary folder that goes with the block."""
    sweep(tempfile.gettempdir(), time.time())
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)
