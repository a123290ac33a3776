# SPDX-FileCopyrightText: The ucmkd authors
# SPDX-License-Identifier: Apache-2.0
"""The main job in a whole system: those who share the shortage are asked, and nobody else.

Three programs with caches live in a slice with memory.high, and real demand grows beside them
until the kernel stalls them. One more program with a cache, and fifty without, live in another
slice: they may not even wake up.
"""

import os
import time

from kernel_files import PRESSURE, Trigger, run, wait_until, wakeups
from ucmk_wire import Connection
from units import (
    DAEMON,
    SOCKET,
    clients,
    install,
    listing,
    make_slice,
    messages,
    property_of,
    start_client,
    start_daemon,
    start_eater,
    start_member,
    start_unit,
    stop,
    ucmkctl,
    wait_for_clients,
)
from wire_checks import check_wire

SLICE = "smoke.slice"
ASIDE = "aside.slice"

# Three caches and their programs stay below the limit; the demand takes them over it. Who takes
# that stalls for about a second; the clients, whom the kernel throttles too, wait about 50 ms for
# each 64 pages. That grows with the square of what is above (mm/memcontrol.c): at 10 % of the limit
# it would be longer than the deadline of a critical round.
LIMIT_MIB = 176
CACHE_MIB = 32
EXCESS_MIB = 5
PLAIN_PROCESSES = 50

# As the daemon's own default, `some 70ms/1s`.
STALL_US = 70_000
WINDOW_US = 1_000_000

ROUND_SECONDS = 90
# No new round for this long: the shortage is over, or nobody has anything left.
QUIET_SECONDS = 6
SETTLE_SECONDS = 60
CALM_SECONDS = 120

# Of what was asked for, this much has to have come back (hundredths).
RETURNED_PERCENT = 80
# The clients are alike, so their parts are, but for rounding to pages and to cache entries.
UNEVEN_PERCENT = 125

# One wake-up to read a ping, one to answer it, one for the interpreter's own lock.
SWITCHES_PER_PING = 3

LOGS = {"inside": "/run/inside.jsonl", "aside": "/run/aside.jsonl"}
INSIDE = ("smoke-a", "smoke-b", "smoke-c")


class Stage:
    """What runs, and what was counted before the demand came."""

    def __init__(self):
        self.slice = make_slice(SLICE, LIMIT_MIB)
        make_slice(ASIDE)
        start_daemon()
        self.groups = {
            "smoke-a": start_client("smoke-a", CACHE_MIB, SLICE),
            "smoke-b": start_client("smoke-b", CACHE_MIB, SLICE),
            "smoke-c": start_member("smoke-c", CACHE_MIB, SLICE, LOGS["inside"]),
        }
        self.aside = start_member("aside-member", CACHE_MIB, ASIDE, LOGS["aside"])
        script = f"for i in $(seq {PLAIN_PROCESSES}); do sleep 100000 & done; wait"
        self.plain = start_unit("aside-plain", ["bash", "-c", script], slice_name=ASIDE)
        self.held = {}
        self.switches = {}
        self.heard = 0

    def remember(self):
        """Counts, right before the demand comes."""
        self.held = {name: group.held() for name, group in self.groups.items()}
        self.switches = {
            kind: {pid: wakeups(pid) for pid in group.processes()}
            for kind, group in (("aside", self.aside), ("plain", self.plain))
        }
        self.heard = messages(LOGS["aside"])[1]

    def woken(self, kind):
        """How often the processes of a kind were awake since then."""
        return sum(wakeups(pid) - before for pid, before in self.switches[kind].items())

    def returned(self):
        """Bytes that each client has given back, by the kernel's count."""
        return {name: self.held[name] - group.held() for name, group in self.groups.items()}


def check_start(report):
    """The daemon as a unit, and its clients."""
    stage = Stage()
    report.equal("the daemon's unit", property_of(DAEMON, "ActiveState"), "active")
    report.equal("mode of the socket", f"{os.stat(SOCKET).st_mode & 0o777:o}", "666")
    expected = sorted([*INSIDE, "aside-member"])
    report.equal("clients registered", wait_for_clients(expected), expected)
    found = {client["name"]: client["cgroup"] for client in clients().values()}
    report.equal("cgroup of a client", found.get("smoke-a"), "/smoke.slice/smoke-a.service")
    ready = wait_until(lambda: len(stage.plain.processes()) > PLAIN_PROCESSES, SETTLE_SECONDS)
    report.equal("programs without a cache", ready, True)
    triggers = {trigger["scope"].get("path", "host") for trigger in ucmkctl("status")["triggers"]}
    report.equal("the daemon's triggers", {"host", f"/{SLICE}"} <= triggers, True)
    return stage


def check_plan(report):
    """A plan for the slice names those inside it and comes to exactly what was asked for."""
    plan = ucmkctl("plan", "--bytes", "9M", "--cgroup", f"/{SLICE}")
    names = sorted(client["name"] for client in plan["clients"] if client["part"])
    report.equal("who a plan would ask", names, list(INSIDE))
    parts = sum(client["part"] for client in plan["clients"])
    report.equal("parts of the plan", parts, min(plan["target"], plan["capacity"]), "B")


def drive(report, stage):
    """Lets demand grow until the kernel reports pressure; returns the rounds of the slice."""
    places = {"slice": f"{stage.slice.folder}/memory.pressure", "host": PRESSURE}
    triggers = {name: Trigger(path, STALL_US, WINDOW_US) for name, path in places.items()}
    stage.remember()
    start = time.monotonic()
    start_eater("smoke-eater", EXCESS_MIB, stage.slice)
    for name, trigger in triggers.items():
        report.equal(f"the kernel's trigger of the {name} fires", trigger.fired(60), True)
    wait_until(lambda: slice_rounds(), ROUND_SECONDS, every=0.5)
    elapsed = round(time.monotonic() - start, 1)
    report.at_most("first round closed after the demand began", elapsed, ROUND_SECONDS, "s")
    seen, last_change = 0, time.monotonic()
    end = last_change + SETTLE_SECONDS
    while time.monotonic() < min(end, last_change + QUIET_SECONDS):
        rounds = len(listing(ucmkctl("rounds"), "rounds"))
        if rounds != seen:
            seen, last_change = rounds, time.monotonic()
        time.sleep(0.5)
    for trigger in triggers.values():
        trigger.close()
    return slice_rounds()


def slice_rounds():
    """The closed rounds for the slice, newest first."""
    return [
        entry
        for entry in listing(ucmkctl("rounds"), "rounds")
        if entry["state"] == "closed" and entry["scope"].get("path") == f"/{SLICE}"
    ]


def check_rounds(report, stage, rounds):
    """Who was asked for how much, what came back, and that the sums are right."""
    control = Connection.open(SOCKET)
    control.hello("smoke", role="control")
    details = [control.call("round.get", {"round": entry["round"]}) for entry in rounds]
    control.close()
    report.at_least("rounds for the slice", len(rounds), 1, "rounds", reasons(rounds))
    asked = {}
    for detail in details:
        for client in detail["clients"]:
            asked[client["name"]] = asked.get(client["name"], 0) + client["asked"]
    whole = sum(asked.values())
    report.equal("who was asked", sorted(name for name in asked if asked[name]), list(INSIDE))
    report.equal("asked by client and by round", whole, sum(item["asked"] for item in rounds), "B")
    wrong = [item["round"] for item in details if not sums_right(item)]
    report.equal("rounds whose parts do not add up", wrong, [])
    first = [client["part"] for client in details[-1]["clients"]]
    report.at_most(
        "largest part by smallest, first round",
        percent(max(first), min(first)),
        UNEVEN_PERCENT,
        "%",
    )
    returned = stage.returned()
    came_back = percent(sum(returned.values()), whole)
    note = ", ".join(f"{name} {size >> 20} MiB" for name, size in sorted(returned.items()))
    report.at_least("came back, by memory.current", came_back, RETURNED_PERCENT, "%", note)
    measured = percent(sum(item["measured"] for item in rounds), whole)
    note = "; ".join(in_words(item) for item in reversed(details))
    report.at_least("came back, as the daemon measured it", measured, RETURNED_PERCENT, "%", note)
    report.equal("out-of-memory kills in the slice", stage.slice.events()["oom_kill"], 0)


def sums_right(detail):
    """Whether the parts of a round are the whole, exactly."""
    parts = sum(client["part"] for client in detail["clients"])
    return parts == detail["part"] == min(detail["target"], detail["capacity"])


def in_words(detail):
    """A round in KiB, for whoever reads a failure."""
    sums = " ".join(f"{key} {detail[key] >> 10}" for key in ("asked", "claimed", "measured"))
    outcomes = " ".join(client["outcome"] for client in detail["clients"])
    return f"{detail['reason']} {sums} {outcomes}"


def reasons(rounds):
    """Why the rounds began, in words."""
    return ", ".join(sorted({entry["reason"] for entry in rounds})) or "none"


def percent(part, whole):
    """`part` in hundredths of `whole`, rounded down."""
    return 100 * part // whole if whole > 0 else 0


def check_bystanders(report, stage):
    """Nobody outside the slice heard anything or woke up."""
    plain, aside = stage.woken("plain"), stage.woken("aside")
    heard, lines = messages(LOGS["aside"])
    report.equal("messages to the client outside", [item["method"] for item in heard], [])
    pings = lines - stage.heard
    allowed = SWITCHES_PER_PING * pings
    report.at_most("its wake-ups", aside, allowed, "", f"{pings} pings")
    report.equal(f"wake-ups of {PLAIN_PROCESSES} programs outside", plain, 0)


def check_member(report):
    """What the client that speaks the wire by itself was told."""
    shrinks = [item["params"] for item in messages(LOGS["inside"])[0] if item["method"] == "shrink"]
    report.at_least("shrink requests on the wire", len(shrinks), 1)
    odd = [
        item
        for item in shrinks
        if not 50 <= item["deadline_ms"] <= 60_000
        or item["level"] not in ("low", "medium", "critical")
        or not 1 <= item["attempt"] <= 5
        or item["scope"] != {"kind": "cgroup", "path": f"/{SLICE}"}
        or any(target["bytes"] <= 0 for target in item["targets"])
    ]
    report.equal("shrink requests out of range", odd, [])


def check_calm(report):
    """When the demand is gone, the level falls and the caches may grow."""
    stop("smoke-eater")
    calm = wait_until(lambda: ucmkctl("status")["level"] == "none", CALM_SECONDS, every=1)
    report.equal("level falls to none", calm, True)

    def relaxed():
        return any(item["method"] == "relax" for item in messages(LOGS["inside"])[0])

    report.equal("relax on the wire", wait_until(relaxed, CALM_SECONDS, every=1), True)


def check_end(report):
    """The daemon never restarted, stops in order, and says goodbye."""
    report.equal("restarts of the daemon", property_of(DAEMON, "NRestarts"), "0")
    stop(DAEMON)
    report.equal("its result", property_of(DAEMON, "Result"), "success")
    heard = [item["method"] for item in messages(LOGS["inside"])[0]]
    report.equal("shutdown on the wire", "shutdown" in heard, True)


def suite(report, options):
    """Runs the checks; the later ones need what the earlier ones started."""
    names = install(options.binaries)
    report.equal("executables", {"ucmk-demo", "ucmkctl", "ucmkd"} <= set(names), True)
    stage = check_start(report)
    with report.step("wire"):
        check_wire(report, SOCKET)
    with report.step("plan"):
        check_plan(report)
    with report.step("rounds"):
        rounds = drive(report, stage)
        check_bystanders(report, stage)
        check_rounds(report, stage, rounds)
        check_member(report)
    if not options.short:
        with report.step("calm"):
            check_calm(report)
    with report.step("end"):
        check_end(report)
    if not report.complete:
        # For whoever reads a failure.
        journal = run("journalctl", "-u", DAEMON, "--no-pager", "-n", "60", check=False)
        print(journal, flush=True)
