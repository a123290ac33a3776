# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""Real demand: takes anonymous memory step by step or at once, keeps touching it for a while."""

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
    arguments.add_argument("--above", help="at once, and so much above memory.high of this group")
    chosen = arguments.parse_args()
    if chosen.above:
        held = [take_at_once(chosen.mib * MIB + room(chosen.above))]
    else:
        held = take_in_steps(chosen)
    end = time.monotonic() + chosen.hold
    while time.monotonic() < end:
        for block in held:
            for place in range(0, len(block), MIB):
                block[place] = (block[place] + 1) & 0xFF
        time.sleep(chosen.pause)


def room(folder):
    """Bytes below the limit of a group."""
    numbers = []
    for name in ("memory.high", "memory.current"):
        with open(f"{folder}/{name}", encoding="ascii") as file:
            numbers.append(int(file.read()))
    return max(numbers[0] - numbers[1], 0)


def take_at_once(size):
    """Takes all of it before anybody can make room, however slowly this machine runs."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
    return mmap.mmap(-1, size, flags=flags)


def take_in_steps(chosen):
    """Takes a little, waits a little, until it has all."""
    # Bytes that differ, so that compressed swap does not get them for nothing.
    pattern = bytes((i * 2654435761 >> 7) & 0xFF for i in range(4096)) * (MIB // 4096)
    held = []
    while len(held) < chosen.mib:
        for _ in range(min(chosen.step_mib, chosen.mib - len(held))):
            block = mmap.mmap(-1, MIB)
            block[:] = pattern
            held.append(block)
        time.sleep(chosen.pause)
    return held


if __name__ == "__main__":
    main()
