// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@Suite("Units")
struct UnitTests {
  @Test("bytes saturate instead of trapping")
  func bytes() {
    let most = ByteCount(.max)
    #expect(most + ByteCount(1) == most)
    #expect(ByteCount(1) - ByteCount(2) == .zero)
    #expect(ByteCount.gibibytes(.max) == most)
    #expect(ByteCount.kibibytes(3) == ByteCount(3_072))
    #expect(ByteCount.mebibytes(1) == .kibibytes(1_024))
    #expect(ByteCount.wireMaximum.value == 9_007_199_254_740_991)
    var sum = ByteCount(5)
    sum += ByteCount(2)
    sum -= ByteCount(9)
    #expect(sum == .zero)
  }

  @Test(
    "bytes round up to pages",
    arguments: [(0, 0), (1, 4_096), (4_096, 4_096), (4_097, 8_192)] as [(UInt64, UInt64)]
  )
  func pages(bytes: UInt64, rounded: UInt64) {
    #expect(ByteCount(bytes).roundedUp(toPage: 4_096) == ByteCount(rounded))
    #expect(ByteCount(.max).roundedUp(toPage: 4_096) == ByteCount(.max))
  }

  @Test("a part of ten thousand rounds down, its whole rounds up")
  func permyriad() {
    #expect(Permyriad.percent(5).of(.mebibytes(200)) == .mebibytes(10))
    #expect(Permyriad(1).of(ByteCount(9_999)) == .zero)
    #expect(Permyriad(20_000).of(ByteCount(.max)) == ByteCount(.max))
    #expect(Permyriad.percent(50).whole(ofPart: ByteCount(3)) == ByteCount(6))
    #expect(Permyriad(3).whole(ofPart: ByteCount(1)) == ByteCount(3_334))
    #expect(Permyriad.zero.whole(ofPart: ByteCount(1)) == ByteCount(.max))
    #expect(Permyriad.zero.whole(ofPart: .zero) == .zero)
    #expect(Permyriad(1).whole(ofPart: ByteCount(.max)) == ByteCount(.max))
    #expect(Permyriad.percent(1) < .one)
  }

  @Test("time saturates and never runs backwards")
  func time() {
    let start = MonotonicInstant(nanoseconds: 5)
    #expect((start + .milliseconds(2)).nanoseconds == 2_000_005)
    #expect((start + TimeSpan(nanoseconds: .max)).nanoseconds == .max)
    #expect(start.since(MonotonicInstant(nanoseconds: 9)) == .zero)
    #expect(MonotonicInstant(nanoseconds: 9).since(start).nanoseconds == 4)
    #expect(TimeSpan.seconds(2).milliseconds == 2_000)
    #expect(TimeSpan.microseconds(7).microseconds == 7)
    #expect(TimeSpan.seconds(.max).nanoseconds == .max)
    #expect(TimeSpan.seconds(1) + .milliseconds(1) == .milliseconds(1_001))
    #expect(TimeSpan.zero < .milliseconds(1))
  }
}

@Suite("Levels")
struct LevelTests {
  @Test("step up and down and keep their ends")
  func steps() {
    #expect(PressureLevel.allCases.map(\.oneStepDown) == [.none, .none, .low, .medium])
    #expect(PressureLevel.allCases.map(\.oneStepUp) == [.low, .medium, .critical, .critical])
    #expect(PressureLevel.allCases.map(\.rawValue) == [0, 50, 100, 255])
    #expect(PressureLevel.none < .low && .medium < PressureLevel.critical)
  }

  @Test("have the words of the wire")
  func words() {
    #expect(PressureLevel.allCases.map(\.name) == ["none", "low", "medium", "critical"])
    for level in PressureLevel.allCases { #expect(PressureLevel(name: level.name) == level) }
    #expect(PressureLevel(name: "LOW") == nil)
    #expect(ReleaseKind.allCases.map(\.name) == ["sync", "gc", "slow"])
    for kind in ReleaseKind.allCases { #expect(ReleaseKind(name: kind.name) == kind) }
    #expect(ReleaseKind(name: "") == nil)
  }
}

@Suite("Ids")
struct IdentifierTests {
  @Test("of clients read back from their names, and from nothing else")
  func names() {
    #expect(ClientID(17).name == "c17")
    #expect(ClientID(name: "c17") == ClientID(17))
    for name in ["", "c", "17", "c017", "c+7", "c-7", "C17", "c1 ", "c99999999999999999999"] {
      #expect(ClientID(name: name) == nil, "\(name)")
    }
  }

  @Test("are ordered by their numbers")
  func order() {
    #expect(ClientID(9) < ClientID(10))
    #expect(CacheID(1) < CacheID(2))
    #expect(RoundID(1) < RoundID(2))
    #expect(ProcessID(1) < ProcessID(2))
  }
}

@Suite("Domains")
struct DomainIDTests {
  @Test(
    "contain what lies below them, by whole names",
    arguments: [
      (root: "/a", path: "/a", inside: true), (root: "/a", path: "/a/b", inside: true),
      (root: "/a", path: "/ab", inside: false), (root: "/a/b", path: "/a", inside: false),
      (root: "/", path: "/x", inside: true), (root: "/a", path: nil, inside: false),
    ] as [(root: String, path: String?, inside: Bool)]
  )
  func contains(root: String, path: String?, inside: Bool) {
    #expect(DomainID.cgroup(root).contains(cgroup: path) == inside)
    #expect(DomainID.host.contains(cgroup: path))
  }

  @Test("are shown as host or as their path")
  func names() {
    #expect(DomainID.host.name == "host")
    #expect(DomainID.cgroup("/a").name == "/a")
  }
}

@Suite("Readings and declarations")
struct ReadingTests {
  @Test("a usage cannot hold more reclaimable bytes than bytes")
  func usage() {
    let usage = CacheUsage(bytes: .mebibytes(1), reclaimable: .mebibytes(2), hits: 3)
    #expect(usage.reclaimable == .mebibytes(1))
    #expect(usage.hits == 3 && usage.misses == nil && usage.entries == nil)
    #expect(CacheUsage.zero.bytes == .zero)
  }

  @Test("a declaration has the defaults of the protocol")
  func declaration() {
    let declaration = CacheDeclaration(name: "thumbs")
    #expect(declaration.share == 100)
    #expect(declaration.floor == .zero && declaration.ceiling == nil)
    #expect(declaration.costMicrosecondsPerMiB == 10_000)
    #expect(declaration.minimumLevel == .low && declaration.release == .sync)
    #expect(declaration.usage == .zero && declaration.labels.isEmpty)
    #expect(CacheDeclaration.Label(key: "k", value: "v").value == "v")
  }

  @Test("a process holds what is resident and cannot simply be taken")
  func held() {
    #expect(ProcessReading(resident: .mebibytes(5)).held == .mebibytes(5))
    let lazy = ProcessReading(resident: .mebibytes(5), lazyFree: .mebibytes(2))
    #expect(lazy.held == .mebibytes(3))
    #expect(PressureReading.zero.some == .zero)
    #expect(DomainReading(capacity: .mebibytes(1), available: .zero).pressure == nil)
  }
}
