// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKModel
import UCMKProtocol
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("event codec")
struct EventCodecTests {
  private func line(_ event: UCMKDaemon.Event, at now: UInt64 = 5) -> String {
    var writer = JSONWriter()
    EventWriter.write(event, at: MonotonicInstant(nanoseconds: now), to: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private func read(_ line: String) throws -> (UCMKDaemon.Event, MonotonicInstant) {
    try EventReader.read(try JSONText.parse(line))
  }

  @Test("a line reads beside the code")
  func text() {
    #expect(line(.ticked) == #"{"at":5,"event":"ticked"}"# + "\n")
    #expect(
      line(.answered(ClientID(3), RoundID(7), attempt: 2))
        == #"{"at":5,"event":"answered","client":3,"round":7,"attempt":2}"# + "\n"
    )
    #expect(
      line(.sampled(.cgroup("/a"), DomainReading(capacity: ByteCount(9), available: ByteCount(4))))
        == #"{"at":5,"event":"sampled","domain":"/a","capacity":9,"available":4}"# + "\n"
    )
  }

  @Test(
    "every event comes back as it was",
    arguments: [1, 2, 3, 4_711, 0xDEAD_BEEF] as [UInt64]
  )
  func roundTrip(seed: UInt64) throws {
    var random = RandomEvents(seed: seed)
    var kinds = [Int](repeating: 0, count: RandomEvents.kinds)
    for index in 0..<1_000 {
      let kind = index % RandomEvents.kinds
      kinds[kind] += 1
      let event = random.event(kind)
      let at = random.number()
      let (read, now) = try read(line(event, at: at))
      #expect(read == event, "seed \(seed), event \(index)")
      #expect(now.nanoseconds == at, "seed \(seed), event \(index)")
    }
    #expect(kinds.allSatisfy { $0 > 0 })
  }

  @Test(
    "what is no event says what was wanted",
    arguments: [
      ("[]", "a number at"),
      ("{}", "a number at"),
      (#"{"at":-1,"event":"ticked"}"#, "a number at"),
      (#"{"at":1}"#, "a string event"),
      (#"{"at":1,"event":"exploded"}"#, "an event that exists, not exploded"),
      (#"{"at":1,"event":"left"}"#, "a number client"),
      (#"{"at":1,"event":"left","client":"c1"}"#, "a number client"),
      (
        #"{"at":1,"event":"answered","client":1,"round":1,"attempt":256}"#,
        "an attempt of 8 bits"
      ),
      (
        #"{"at":1,"event":"unregistered","client":1,"cache":4294967296}"#,
        "a number cache of 32 bits"
      ),
      (#"{"at":1,"event":"domainLost","domain":"a"}"#, "host or a path in domain"),
      (#"{"at":1,"event":"measured","pid":2147483648}"#, "a process pid"),
      (
        #"{"at":1,"event":"alarmed","domain":"host","level":"low","source":9}"#,
        "a source of alarms"
      ),
      (#"{"at":1,"event":"hostKnown","total":1,"page":0,"marks":0}"#, "a page of some size"),
      (#"{"at":1,"event":"configured","quota":"dice"}"#, "a rule of quotas that exists"),
      (
        #"{"at":1,"event":"configured","quota":"level-down","watermarks":[]}"#,
        "three watermarks and whether they were written"
      ),
      (
        #"{"at":1,"event":"requested","token":1,"level":"loud","dry_run":false}"#,
        "a level in level"
      ),
    ]
  )
  func faults(line: String, wanted: String) throws {
    let value = try JSONText.parse(line)
    #expect(throws: RecordingFault(wanted)) { try EventReader.read(value) }
  }
}

/// Events of every case, with every optional part there or not.
struct RandomEvents {
  /// How many cases there are.
  static let kinds = 27
  private var random: SplitMix64

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// A number of any size: small ones, and those at both ends.
  mutating func number() -> UInt64 {
    switch random.next() % 4 {
    case 0: random.next() % 100
    case 1: random.next() % (1 << 53)
    case 2: random.next()
    default: [0, .max, 1 << 53, (1 << 53) - 1][Int(random.next() % 4)]
    }
  }

  mutating func event(_ kind: Int) -> UCMKDaemon.Event {
    let (client, cache) = (ClientID(number()), CacheID(small()))
    let (round, attempt) = (RoundID(number()), UInt8(truncatingIfNeeded: small()))
    switch kind {
    case 0: return .configured(configuration())
    case 1:
      return .hostKnown(
        HostFacts(memoryTotal: bytes(), pageSize: max(1, number()), kernelHighMarks: bytes())
      )
    case 2: return .sampled(domain(), reading())
    case 3: return .alarmed(domain(), level(), source(), reading())
    case 4: return .domainLost(domain())
    case 5: return .measured(process(), maybe { $0.processReading() })
    case 6: return .joined(client, facts())
    case 7: return .registered(client, cache, declaration())
    case 8: return .updated(client, cache, declaration())
    case 9: return .unregistered(client, cache)
    case 10: return .reported(client, cache, usage())
    case 11: return .relocated(client, facts())
    case 12: return .detached(client)
    case 13: return .reattached(client, facts())
    case 14: return .left(client)
    case 15:
      let report = FreedReport(
        cache: cache,
        freed: bytes(),
        bytes: bytes(),
        reclaimable: bytes(),
        more: truth()
      )
      return .freed(client, round, attempt: attempt, report)
    case 16: return .answered(client, round, attempt: attempt)
    case 17: return .refused(client, round, attempt: attempt, retryAfter: span())
    case 18: return .undelivered(client, round, attempt: attempt)
    case 19:
      let request = RoundRequest(
        bytes: maybe { $0.bytes() },
        level: level(),
        scope: truth() ? .manual : .domain(domain()),
        dryRun: truth()
      )
      return .requested(RequestToken(number()), request)
    case 20: return .paused(until: maybe { MonotonicInstant(nanoseconds: $0.number()) })
    case 21: return .resumed
    case 22:
      let override = UCMKDaemon.CacheOverride(
        share: maybe { $0.small() },
        floor: maybe { $0.bytes() },
        minimumLevel: maybe { $0.level() },
        until: maybe { MonotonicInstant(nanoseconds: $0.number()) }
      )
      return .overridden(client, cache, override)
    case 23: return .domainFound(domain())
    case 24: return .protected(text(), CgroupProtection(low: bytes(), min: bytes()))
    case 25: return .remembered(client, memory())
    default: return .ticked
    }
  }

  // MARK: - Parts

  private mutating func small() -> UInt32 { UInt32(truncatingIfNeeded: number()) }
  private mutating func bytes() -> ByteCount { ByteCount(number()) }
  private mutating func span() -> TimeSpan { TimeSpan(nanoseconds: number()) }
  private mutating func truth() -> Bool { random.next().isMultiple(of: 2) }

  private mutating func maybe<Value>(_ make: (inout RandomEvents) -> Value) -> Value? {
    truth() ? make(&self) : nil
  }

  private mutating func one<Value>(of values: [Value]) -> Value {
    values[Int(random.next() % UInt64(values.count))]
  }

  private mutating func level() -> PressureLevel { one(of: PressureLevel.allCases) }
  private mutating func source() -> AlarmSource { one(of: [.trigger, .average, .watch]) }

  private mutating func domain() -> DomainID {
    one(of: [.host, .cgroup("/"), .cgroup("/a/b.slice"), .cgroup("/ä \"quoted\"\\\u{1}")])
  }

  private mutating func text() -> String {
    one(of: ["x", "", "naïve", "tab\tand\nline", "\u{7f}\u{1F600}", "\"\\/"])
  }

  private mutating func process() -> ProcessID {
    ProcessID(Int32(truncatingIfNeeded: number()))
  }

  private mutating func processReading() -> ProcessReading {
    ProcessReading(
      resident: bytes(),
      lazyFree: maybe { $0.bytes() },
      soleCgroupCurrent: maybe { $0.bytes() }
    )
  }

  private mutating func line() -> PressureLine {
    PressureLine(average10: small(), average60: small(), average300: small(), total: span())
  }

  private mutating func reading() -> DomainReading {
    DomainReading(
      capacity: bytes(),
      available: bytes(),
      pressure: maybe { PressureReading(some: $0.line(), full: $0.line()) },
      reclaimScanned: maybe { $0.number() },
      refaults: maybe { $0.number() },
      swapFree: maybe { $0.bytes() }
    )
  }

  private mutating func facts() -> ClientFacts {
    var facts = ClientFacts(
      name: text(),
      process: process(),
      user: small(),
      cgroup: maybe { $0.one(of: ["/", "/a"]) },
      domains: (0..<random.next() % 3).map { .cgroup("/d\($0)") },
      grantedShare: small(),
      grantedFloor: bytes()
    )
    facts.takesRequests = truth()
    return facts
  }

  private mutating func memory() -> RememberedBehaviour {
    RememberedBehaviour(
      trust: Permyriad(small()),
      fellShort: truth(),
      ledger: Int64(bitPattern: number()),
      keepsMemory: truth(),
      measuredRounds: UInt8(truncatingIfNeeded: number())
    )
  }

  private mutating func usage() -> CacheUsage {
    CacheUsage(
      bytes: bytes(),
      reclaimable: bytes(),
      cold: maybe { $0.bytes() },
      refillMicrosecondsPerMiB: maybe { $0.small() },
      entries: maybe { $0.number() },
      hits: maybe { $0.number() },
      misses: maybe { $0.number() }
    )
  }

  private mutating func declaration() -> CacheDeclaration {
    var labels: [CacheDeclaration.Label] = []
    for _ in 0..<random.next() % 3 {
      labels.append(CacheDeclaration.Label(key: text(), value: text()))
    }
    return CacheDeclaration(
      name: text(),
      share: small(),
      floor: bytes(),
      ceiling: maybe { $0.bytes() },
      costMicrosecondsPerMiB: small(),
      minimumLevel: level(),
      release: one(of: ReleaseKind.allCases),
      usage: usage(),
      labels: labels
    )
  }

  private mutating func amount() -> Amount {
    truth() ? .bytes(bytes()) : .part(Permyriad(small()))
  }

  private mutating func watermarks() -> WatermarkSettings {
    WatermarkSettings(low: amount(), high: amount(), grow: amount(), isExplicit: truth())
  }

  private mutating func threshold() -> StallThreshold {
    StallThreshold(
      isFull: truth(),
      stall: span(),
      window: TimeSpan(nanoseconds: max(1, number()))
    )
  }

  private mutating func thresholds() -> PressureThresholds {
    PressureThresholds(low: threshold(), medium: threshold(), critical: threshold())
  }

  private mutating func configuration() -> Configuration {
    var configuration = Configuration()
    configuration.watermarks = watermarks()
    configuration.thresholds = thresholds()
    for _ in 0..<random.next() % 3 {
      configuration.domains.append(
        DomainSettings(
          domain: domain(),
          capacity: maybe { $0.bytes() },
          watermarks: maybe { $0.watermarks() },
          thresholds: maybe { $0.thresholds() }
        )
      )
    }
    return configuration
  }
}
