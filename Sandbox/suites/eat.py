# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Real demand: takes anonymous memory step by step, keeps touching it, holds it for a while."""

import argparse
import mmap
import time

MIB = 1 << 20


def main():
    """Eats."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--mib", type=int, required=True, help="how much in all")
    arguments.add_argument("--step-mib", type=int, default=4)
    arguments.add_argument("--pause", type=float, default=0.02, help="seconds between two steps")
    arguments.add_argument("--hold", type=float, default=30, help="seconds to keep it")
    chosen = arguments.parse_args()
    # Bytes that differ, so that compressed swap does not get them for nothing.
    pattern = bytes((i * 2654435761 >> 7) & 0xFF for i in range(4096)) * (MIB // 4096)
    held = []
    while len(held) < chosen.mib:
        for _ in range(min(chosen.step_mib, chosen.mib - len(held))):
            block = mmap.mmap(-1, MIB)
            block[:] = pattern
            held.append(block)
        time.sleep(chosen.pause)
    end = time.monotonic() + chosen.hold
    while time.monotonic() < end:
        for block in held:
            block[0] = (block[0] + 1) & 0xFF
        time.sleep(chosen.pause)


if __name__ == "__main__":
    main()
