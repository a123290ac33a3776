# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""A program with a cache: holds anonymous memory, frees what it is asked for, logs what it hears.

    member.py --socket PATH --name NAME --mib N [--log FILE]

The log has one JSON object a line for each message that arrived, which is how a suite knows that
nothing arrived. The usage is reported once, and never again while nothing changes.
"""

import argparse
import json
import mmap
import os
import time

from ucmk_wire import ClosedError, Connection

MIB = 1 << 20
PATTERN = os.urandom(4096) * (MIB // 4096)


class Cache:
    """Entries of one MiB, each a mapping of its own, so that freeing gives the pages back."""

    def __init__(self, mebibytes):
        self.id = None
        self.entries = []
        for _ in range(mebibytes):
            entry = mmap.mmap(-1, MIB)
            entry[:] = PATTERN
            self.entries.append(entry)

    def usage(self):
        """What is in the cache, as the wire wants it."""
        held = len(self.entries) * MIB
        return {"bytes": held, "reclaimable": held, "entries": len(self.entries)}

    def free(self, wanted, deadline):
        """Frees whole entries until at least `wanted` bytes are gone or the deadline is near."""
        freed = 0
        while freed < wanted and self.entries and time.monotonic() < deadline:
            self.entries.pop().close()
            freed += MIB
        return freed


class Member:
    """The cache and its connection."""

    def __init__(self, name, cache, log):
        self.name = name
        self.cache = cache
        self.log = log

    def join(self, path):
        """Connects and registers the cache."""
        connection = Connection.open(path, {"shrink": self.shrink})
        connection.hello(self.name, capabilities={"shrink": True})
        declared = {"name": "entries", "cost_us_per_mib": 10000, "usage": self.cache.usage()}
        answer = connection.call("cache.register", {"caches": [declared]})
        self.cache.id = answer["caches"][0]["id"]
        return connection

    def shrink(self, params):
        """Answers a request to free memory, with a fifth of the time in reserve."""
        started = time.monotonic()
        deadline = started + 0.8 * params["deadline_ms"] / 1000
        targets = []
        for target in params["targets"]:
            known = target["id"] == self.cache.id and not params.get("dry_run")
            freed = self.cache.free(target["bytes"], deadline) if known else 0
            usage = self.cache.usage()
            targets.append(
                {
                    "id": target["id"],
                    "freed": freed,
                    "bytes": usage["bytes"],
                    "reclaimable": usage["reclaimable"],
                    "more": bool(self.cache.entries),
                }
            )
        took = round((time.monotonic() - started) * 1000)
        return {"round": params["round"], "targets": targets, "took_ms": took}

    def listen(self, connection):
        """Serves until the daemon goes."""
        written = 0
        try:
            while True:
                connection.serve(3600)
                for message in connection.log[written:]:
                    self.log.write(json.dumps(message) + "\n")
                    self.log.flush()
                written = len(connection.log)
        except ClosedError:
            return


def main():
    """Joins and serves; ends when the daemon closes the connection."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--socket", required=True)
    arguments.add_argument("--name", required=True)
    arguments.add_argument("--mib", type=int, required=True)
    arguments.add_argument("--log", default=os.devnull)
    chosen = arguments.parse_args()
    with open(chosen.log, "w", encoding="utf-8") as log:
        member = Member(chosen.name, Cache(chosen.mib), log)
        connection = member.join(chosen.socket)
        member.listen(connection)


if __name__ == "__main__":
    main()
