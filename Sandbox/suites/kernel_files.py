# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""The kernel's side of a test: control groups, pressure triggers, swap, wake-ups."""

import os
import select
import subprocess
import time

CGROUP = "/sys/fs/cgroup"
PRESSURE = "/proc/pressure/memory"
MIB = 1 << 20


def read(path):
    """A small file's text without the line's end."""
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def write(path, text):
    """Writes a small file in one call, as the kernel wants it."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def keyed(text):
    """`{"oom": 0, …}` from lines such as `oom 0`."""
    return {name: int(value) for name, value in (line.split()[:2] for line in text.splitlines())}


def run(*words, check=True, timeout=120):
    """Runs a program and returns what it printed; raises with its output where it fails."""
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=check,
    )
    return done.stdout.strip()


def wait_until(condition, seconds, every=0.1):
    """Calls `condition` until it is true; returns its value, or the last one at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(every)


def start_swap(mebibytes):
    """Swap in compressed memory; returns its size in bytes as the kernel counts it."""
    run("modprobe", "zram")
    write("/sys/block/zram0/disksize", str(mebibytes * MIB))
    run("mkswap", "/dev/zram0")
    run("swapon", "/dev/zram0")
    return swap_total()


def swap_total():
    """Bytes of swap in all."""
    for line in read("/proc/meminfo").splitlines():
        if line.startswith("SwapTotal:"):
            return int(line.split()[1]) * 1024
    return 0


class Group:
    """A control group by its path below the root of the hierarchy."""

    def __init__(self, path):
        self.path = path
        self.folder = CGROUP + path

    def make(self):
        """Makes the group, with the memory controller switched on for it."""
        write(f"{CGROUP}/cgroup.subtree_control", "+memory")
        os.makedirs(self.folder, exist_ok=True)
        return self

    def remove(self):
        """Ends what is in the group, waits for it, and removes the group."""
        write(f"{self.folder}/cgroup.kill", "1")
        wait_until(lambda: self.events("cgroup").get("populated") == 0, 10, every=0.02)
        os.rmdir(self.folder)

    def set(self, name, value):
        """Writes one of the group's files."""
        write(f"{self.folder}/{name}", str(value))

    def number(self, name):
        """One of the group's files that holds a number."""
        return int(read(f"{self.folder}/{name}"))

    def held(self):
        """Bytes charged to the group in memory and in swap: what only freeing can lower."""
        return self.number("memory.current") + self.number("memory.swap.current")

    def events(self, kind="memory"):
        """The counters of `memory.events` or `cgroup.events`."""
        return keyed(read(f"{self.folder}/{kind}.events"))

    def processes(self):
        """The processes in the group itself."""
        return [int(word) for word in read(f"{self.folder}/cgroup.procs").split()]

    def start(self, *words):
        """Starts a program inside the group."""

        def enter():
            write(f"{self.folder}/cgroup.procs", "0")

        return subprocess.Popen(words, stdin=subprocess.DEVNULL, preexec_fn=enter)


class Trigger:
    """A pressure trigger: the kernel makes the descriptor urgent when a window's stall is over."""

    def __init__(self, path, stall_us, window_us, kind="some"):
        self.descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        # The kernel overwrites the last byte that it was given.
        os.write(self.descriptor, f"{kind} {stall_us} {window_us}\0".encode())
        self.poll = select.poll()
        self.poll.register(self.descriptor, select.POLLPRI)

    def fired(self, seconds):
        """Whether an event comes within the time."""
        events = self.poll.poll(seconds * 1000)
        return any(event & select.POLLPRI for _, event in events)

    def close(self):
        """Takes the trigger away."""
        os.close(self.descriptor)


def wakeups(pid):
    """How often a process has gone to sleep by itself, which is how often it had been awake."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        for line in read(f"/proc/{pid}/task/{task}/status").splitlines():
            if line.startswith("voluntary_ctxt_switches:"):
                total += int(line.split()[1])
    return total
