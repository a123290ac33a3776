# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Where images are kept between runs: one folder each, made whole or not at all.

The folders lie outside the clone, so that a new clone need not build them again, and are named by
a hash of all that is in them, so that a stale one is never booted.
"""

import fcntl
import os
import shutil
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path

# An image takes about 250 MB; one that nothing asked for in this time belongs to old scripts.
UNUSED_SECONDS = 14 * 24 * 3600


def default_folder(environment):
    """`$XDG_CACHE_HOME/ucmkd/sandbox`, else the same below `~/.cache`."""
    base = environment.get("XDG_CACHE_HOME") or ""
    if not os.path.isabs(base):
        base = os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "ucmkd" / "sandbox"


@contextmanager
def locked(path):
    """Holds an exclusive lock on the file for as long as the block runs."""
    with open(path, "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def writable(folder):
    """Whether files can be made in the folder, which is made where it is missing."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def drop_unused(folder, keep, now):
    """Removes other images that have not been booted for a long time; returns their names."""
    dropped = []
    for entry in sorted(folder.iterdir()):
        used = entry / "used"
        if entry == keep or not used.exists() or now - used.stat().st_mtime < UNUSED_SECONDS:
            continue
        shutil.rmtree(entry, ignore_errors=True)
        dropped.append(entry.name)
    return dropped


class Store:
    """A folder of images; a temporary one where the usual one cannot be written."""

    def __init__(self, folder, progress):
        self.temporary = None
        if not writable(folder):
            self.temporary = tempfile.TemporaryDirectory(prefix="ucmkd-sandbox-cache-")
            progress.say(f"{folder} cannot be written: the image will not be kept")
            folder = Path(self.temporary.name)
        self.folder = folder
        self.progress = progress

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.temporary:
            self.temporary.cleanup()

    def image(self, key, build, rebuild=False):
        """The folder of the image `key`; made by `build(folder)` unless it is there.

        Safe against other runs that want the same image at the same time: one builds, the
        others wait for it.
        """
        entry = self.folder / key
        with locked(self.folder / f"{key}.lock"):
            if rebuild:
                shutil.rmtree(entry, ignore_errors=True)
            if not entry.is_dir():
                self._build(entry, build)
            with suppress(PermissionError):  # somebody else's image is as good
                (entry / "used").touch()
        return entry

    def _build(self, entry, build):
        drop_unused(self.folder, entry, time.time())
        for leftover in self.folder.glob(f"{entry.name}.new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix=f"{entry.name}.new-", dir=self.folder))
        try:
            build(fresh)
            fresh.rename(entry)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
