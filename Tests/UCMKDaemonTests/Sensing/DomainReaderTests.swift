// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("domain reader")
struct DomainReaderTests {
  private let tree = FileTree([
    "proc/meminfo": "MemTotal: 1048576 kB\nMemAvailable: 524288 kB\nSwapFree: 0 kB\n",
    "proc/pressure/memory": """
    some avg10=1.00 avg60=0.00 avg300=0.00 total=7
    full avg10=0.00 avg60=0.00 avg300=0.00 total=3

    """,
    "cgroup/a/memory.current": "100\n", "cgroup/a/memory.max": "max\n",
    "cgroup/a/memory.high": "1000\n", "cgroup/a/memory.stat": "inactive_file 40\n",
    "cgroup/a/b/memory.current": "60\n", "cgroup/a/b/memory.max": "max\n",
    "cgroup/a/b/c/memory.max": "500\n", "cgroup/a/b/c/memory.current": "60\n",
  ])

  private func reading(
    _ domain: DomainID,
    budget: ByteCount? = nil,
    members: UInt64 = 0
  ) -> DomainReading? {
    DomainReader(files: tree.kernel).reading(
      of: domain,
      settings: budget.map { DomainSettings(domain: domain, capacity: $0) },
      members: { ByteCount(members) }
    )
  }

  @Test("the host is what the kernel says")
  func host() throws {
    let host = try #require(reading(.host))
    #expect(host.capacity == .gibibytes(1))
    #expect(host.available == .mebibytes(512))
    #expect(host.pressure?.some.average10 == 100)
    #expect(host.pressure?.full.total == .microseconds(3))
  }

  @Test("a budget takes from what is available as much as from the capacity")
  func hostBudget() throws {
    let small = try #require(reading(.host, budget: .mebibytes(768)))
    #expect(small.capacity == .mebibytes(768))
    #expect(small.available == .mebibytes(256))
    let tiny = try #require(reading(.host, budget: .mebibytes(256)))
    #expect(tiny.available == .zero)
    let large = try #require(reading(.host, budget: .gibibytes(2)))
    #expect(large.capacity == .gibibytes(1))
    #expect(large.available == .mebibytes(512))
  }

  @Test("a cgroup is its limit less what the kernel cannot drop")
  func cgroup() throws {
    let group = try #require(reading(.cgroup("/a")))
    #expect(group.capacity == ByteCount(1_000))
    #expect(group.available == ByteCount(940))
    #expect(reading(.cgroup("/a/b")) == nil, "it has no limit")
    #expect(reading(.cgroup("/none")) == nil)
  }

  @Test("where memory is accounted elsewhere, a budget is less what the members hold")
  func budgetAlone() throws {
    let group = try #require(reading(.cgroup("/none"), budget: ByteCount(900), members: 300))
    #expect(group.capacity == ByteCount(900))
    #expect(group.available == ByteCount(600))
    let full = try #require(reading(.cgroup("/none"), budget: ByteCount(900), members: 1_300))
    #expect(full.available == .zero)
  }

  @Test("a process belongs to every ancestor with a limit, and to those that are named")
  func domains() {
    let reader = DomainReader(files: tree.kernel)
    #expect(
      reader.domains(ofCgroup: "/a/b/c", named: []) == [.cgroup("/a"), .cgroup("/a/b/c")]
    )
    let named = [DomainSettings(domain: .cgroup("/a/b")), DomainSettings(domain: .cgroup("/x"))]
    #expect(
      reader.domains(ofCgroup: "/a/b/c", named: named)
        == [.cgroup("/a"), .cgroup("/a/b"), .cgroup("/a/b/c")]
    )
    #expect(reader.domains(ofCgroup: "/x/y", named: named) == [.cgroup("/x")])
    #expect(reader.domains(ofCgroup: "/", named: named) == [])
    #expect(reader.domains(ofCgroup: nil, named: named) == [])
  }

  @Test("absence is normal; any other failure is told once, until the next")
  func failures() {
    let reader = DomainReader(files: tree.kernel)
    #expect(reader.cgroup(of: ProcessID(5)) == nil)
    #expect(reader.takeFailure() == nil)
    tree.makeFolder("proc/5/cgroup")
    #expect(reader.cgroup(of: ProcessID(5)) == nil)
    #expect(reader.cgroup(of: ProcessID(5)) == nil)
    #expect(reader.failures == 2)
    #expect(reader.takeFailure()?.name == "EISDIR")
    #expect(reader.takeFailure() == nil)
  }

  @Test("half of a file is no reading")
  func halfWritten() {
    tree.write("proc/meminfo", "MemTotal: 1048576 kB\nMemAv")
    #expect(reading(.host) == nil)
    tree.write("cgroup/a/memory.current", "")
    #expect(reading(.cgroup("/a")) == nil)
  }
}

@Suite("domain watch")
struct DomainWatchTests {
  private func watch(_ path: String?) -> (DomainWatch, FakeRegistry) {
    let registry = FakeRegistry()
    let thresholds = Defaults.thresholds
    let watch = DomainWatch(.host, path: path, thresholds: thresholds, registry: registry) {
      _,
      _ in
    }
    return (watch, registry)
  }

  @Test("a file that takes no trigger is read from time to time")
  func average() {
    let tree = FileTree(["memory": "some avg10=0.00\n"])
    let (watch, registry) = watch(tree.path("memory"))
    #expect(watch.isPolled)
    #expect(watch.problem == "\(tree.path("memory")): neither on procfs nor on cgroup2")
    #expect(watch.status.map(\.source) == [.average, .average, .average])
    #expect(watch.status[2].threshold.isFull)
    #expect(registry.added == 0)
  }

  @Test("without a file there is nothing to list")
  func absent() {
    let (missing, _) = watch("/nonexistent/memory")
    #expect(missing.status.isEmpty)
    #expect(missing.isPolled, "its watermarks are still looked at")
    #expect(watch(nil).0.status.isEmpty)
    #expect(watch(nil).0.problem == "no PSI file")
  }

  @Test(
    "real triggers are registered, one for each level, and taken back",
    .enabled(if: PressureGroup.obstacle == nil, "\(PressureGroup.obstacle ?? "")")
  )
  func triggers() throws {
    let group = try #require(PressureGroup())
    let (watch, registry) = watch(group.pressureFile)
    #expect(watch.problem == nil)
    #expect(!watch.isPolled)
    #expect(registry.added == 3)
    #expect(watch.status.map(\.source) == [.trigger, .trigger, .trigger])
    // Without CAP_SYS_RESOURCE windows are multiples of 2 s.
    let window: TimeSpan = watch.isWidened ? .seconds(2) : .seconds(1)
    let stall: TimeSpan = watch.isWidened ? .milliseconds(140) : .milliseconds(70)
    #expect(
      watch.status[0].threshold == StallThreshold(isFull: false, stall: stall, window: window)
    )
    watch.close()
    #expect(registry.removed == 3)
  }
}
