// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

/// Domains of the settings whose cgroup comes later, or comes and goes.
@Suite("absent domains")
struct AbsentDomainTests {
  private static let inner = DomainID.cgroup("/a/b")

  private func settings(
    _ domain: DomainID = AbsentDomainTests.inner,
    capacity: ByteCount? = nil
  ) -> Settings {
    var settings = Settings()
    settings.configuration.domains = [DomainSettings(domain: domain, capacity: capacity)]
    return settings
  }

  /// Makes the cgroup with a limit of 100 MiB, half of it used.
  private func make(_ path: String, _ stage: DaemonStage) {
    stage.tree.write("cgroup\(path)/memory.current", "\(50 << 20)\n")
    stage.tree.write("cgroup\(path)/memory.max", "\(100 << 20)\n")
    stage.tree.write("cgroup\(path)/memory.stat", "inactive_file 0\n")
    let calm = "avg10=0.00 avg60=0.00 avg300=0.00 total=0"
    stage.tree.write("cgroup\(path)/memory.pressure", "some \(calm)\nfull \(calm)\n")
  }

  private func domains(_ stage: DaemonStage) -> [DomainID] {
    stage.daemon.broker.domains.map(\.domain)
  }

  @Test("one that is made later is watched from then on, without a client and without a reload")
  func later() throws {
    let stage = try DaemonStage(settings())
    #expect(domains(stage) == [.host])
    #expect(stage.registry.count(.in) == 1)
    #expect(stage.daemon.nextWake == nil, "waiting for it costs no wake-up")
    stage.tree.makeFolder("cgroup/a")
    stage.registry.fire(.in)
    #expect(domains(stage) == [.host])
    #expect(stage.registry.count(.in) == 1)
    make("/a/b", stage)
    stage.registry.fire(.in)
    #expect(domains(stage) == [.host, AbsentDomainTests.inner])
    #expect(stage.daemon.broker.domains[1].reading?.available == .mebibytes(50))
    #expect(stage.daemon.triggerStatus.contains { $0.domain == AbsentDomainTests.inner })
    #expect(stage.registry.count(.in) == 0, "nothing is missing any more")
    #expect(stage.log.contains { $0.message == "the cgroup of a domain was made" })
  }

  @Test("the descriptor that is watched is the one that tells")
  func descriptor() throws {
    let stage = try DaemonStage(settings())
    let source = try #require(stage.registry.descriptors(.in).first)
    #expect(!isReadable(source))
    stage.tree.makeFolder("cgroup/a")
    #expect(isReadable(source))
    stage.registry.fire(.in)
    #expect(!isReadable(source))
    stage.tree.makeFolder("cgroup/a/b")
    #expect(isReadable(source), "the folder that was made is watched too")
  }

  @Test("one that was removed is missed, and comes back")
  func again() throws {
    let stage = try DaemonStage(
      settings(),
      files: [
        ("cgroup/a/b/memory.current", "7\n"), ("cgroup/a/b/memory.max", "9\n"),
        ("cgroup/a/b/memory.stat", "inactive_file 0\n"), ("cgroup/a/b/memory.pressure", ""),
      ]
    )
    for _ in 1...3 {
      #expect(domains(stage) == [.host, AbsentDomainTests.inner])
      #expect(stage.registry.count(.in) == 0)
      stage.tree.remove("cgroup/a")
      stage.daemon.lose(AbsentDomainTests.inner)
      #expect(domains(stage) == [.host])
      #expect(stage.registry.count(.in) == 1)
      make("/a/b", stage)
      stage.registry.fire(.in)
    }
  }

  @Test("one whose files come after its folder is looked at three times, a second apart")
  func lateFiles() throws {
    let stage = try DaemonStage(settings())
    stage.tree.makeFolder("cgroup/a/b")
    stage.registry.fire(.in)
    #expect(stage.daemon.nextWake == stage.now + .seconds(1))
    stage.advance(.seconds(2))
    #expect(domains(stage) == [.host])
    make("/a/b", stage)
    stage.advance(.seconds(1))
    #expect(domains(stage) == [.host, AbsentDomainTests.inner])

    let patient = try DaemonStage(settings(), files: [("cgroup/a/b/cgroup.procs", "")])
    patient.advance(.seconds(3))
    #expect(patient.daemon.nextWake == nil, "then only a change brings it back")
    make("/a/b", patient)
    patient.tree.makeFolder("cgroup/a/other")
    patient.registry.fire(.in)
    #expect(domains(patient) == [.host, AbsentDomainTests.inner])
  }

  @Test("one with a budget is there without its cgroup, and gets its sources with it")
  func budget() throws {
    let stage = try DaemonStage(settings(capacity: .mebibytes(64)))
    #expect(domains(stage) == [.host, AbsentDomainTests.inner])
    #expect(!stage.daemon.triggerStatus.contains { $0.domain == AbsentDomainTests.inner })
    #expect(stage.registry.count(.in) == 1)
    make("/a/b", stage)
    stage.registry.fire(.in)
    let status = stage.daemon.triggerStatus.filter { $0.domain == AbsentDomainTests.inner }
    // A file of a test takes no trigger: its averages are read instead.
    #expect(status.map(\.source) == [.average, .average, .average])
    #expect(domains(stage) == [.host, AbsentDomainTests.inner])
    #expect(stage.registry.count(.in) == 0)
  }

  @Test("settings that forget it end the wait, settings that name it begin one")
  func reload() throws {
    let stage = try DaemonStage(settings())
    stage.nextSettings = .valid(Settings())
    _ = stage.daemon.reload(checksOnly: false)
    #expect(stage.registry.count(.in) == 0)
    make("/a/b", stage)
    stage.registry.fire(.in)
    #expect(domains(stage) == [.host])
    stage.nextSettings = .valid(settings(.cgroup("/c")))
    _ = stage.daemon.reload(checksOnly: false)
    #expect(stage.registry.count(.in) == 1)
    make("/c", stage)
    stage.registry.fire(.in)
    #expect(domains(stage) == [.host, .cgroup("/c")])
  }

  @Test("a client that joins in it is as good as a notice")
  func joined() throws {
    let stage = try DaemonStage(settings())
    make("/a/b", stage)
    stage.process(7, resident: 80, cgroup: "/a/b")
    let client = try stage.connect(pid: 7)
    client.hello()
    #expect(domains(stage) == [.host, AbsentDomainTests.inner])
    #expect(stage.registry.count(.in) == 0)
    stage.registry.fire(.in)
    #expect(domains(stage) == [.host, AbsentDomainTests.inner])
  }

  @Test("many that are missing share one watch, and are found one by one")
  func many() throws {
    var named = Settings()
    named.configuration.domains = (0..<50).map { DomainSettings(domain: .cgroup("/d\($0)/e")) }
    let stage = try DaemonStage(named)
    #expect(stage.registry.count(.in) == 1)
    for index in 0..<50 {
      make("/d\(index)/e", stage)
      stage.registry.fire(.in)
      #expect(domains(stage).count == 2 + index)
      #expect(stage.registry.count(.in) == (index < 49 ? 1 : 0))
    }
  }

  @Test("a recording tells of it, and a stopped daemon waits for nothing")
  func recorded() throws {
    let stage = try DaemonStage(settings())
    make("/a/b", stage)
    stage.registry.fire(.in)
    let text = String(decoding: stage.recorded, as: UTF8.self)
    #expect(text.contains(#""event":"domainLost","domain":"/a/b""#))
    #expect(text.contains(#""event":"domainFound","domain":"/a/b""#))
    let other = try DaemonStage(settings())
    other.daemon.stop()
    #expect(other.registry.count(.in) == 0)
  }

  @Test("where no hierarchy is mounted nothing can be made")
  func noHierarchy() throws {
    let registry = FakeRegistry()
    let absent = AbsentDomains(root: nil, registry: registry) {}
    try absent.insert(AbsentDomainTests.inner)
    #expect(absent.domains.isEmpty)
    #expect(!absent.isThere(AbsentDomainTests.inner))
    #expect(registry.added == 0)
  }
}
