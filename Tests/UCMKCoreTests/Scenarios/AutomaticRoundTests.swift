// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKCore

@Suite("An automatic round")
struct AutomaticRoundTests {
  @Test("starts on a confirmed alarm, holds, and relaxes when memory is back")
  func wholeStory() {
    var stage = Stage()
    stage.join(1, [200])
    _ = stage.read(available: 70)
    stage.clock += 1_000
    #expect(
      stage.alarm(.medium, available: 60, some: 160) == [
        "level host none>medium", "open r1", "measure 11", "ask c1 r1.1 medium 1:20M<180M",
        "state host watching>round",
      ]
    )
    #expect(stage.round(1).reason == .trigger)
    _ = stage.answer(1)
    let closing = stage.pass(milliseconds: 200)
    #expect(closing == ["measure 11", "close r1", "state host round>hold"])
    #expect(stage.wakesIn == 50)
    // Calm readings: the level falls in steps, the limits stay for 5 s.
    var lines: [String] = []
    for _ in 0..<30 {
      lines += stage.pass(milliseconds: 250)
      lines += stage.read(available: 150, some: 160)
    }
    // A quarter of the 70 MiB above the high watermark each second: 4,480 KiB with each reading.
    #expect(
      lines.filter { !$0.hasPrefix("sample") } == [
        "level host medium>low", "level host low>none",
        "state host hold>grow", "relax c1 r1 none 1<188800K", "relax c1 r1 none 1<193280K",
        "relax c1 r1 none 1<197760K", "relax c1 r1 none 1<202240K", "relax c1 r1 none 1<-",
        "state host grow>idle",
      ]
    )
    #expect(stage.broker.state == .idle)
  }

  @Test("starts below the low watermark without any alarm")
  func watermark() {
    var stage = Stage()
    stage.join(1, [200])
    #expect(
      stage.read(available: 45) == [
        "level host none>low", "open r1", "measure 11", "ask c1 r1.1 low 1:35M<165M",
        "state host idle>round",
      ]
    )
    #expect(stage.round(1).reason == .watermark)
  }

  @Test("below half of the low watermark asks at medium")
  func deepWatermark() {
    var stage = Stage()
    stage.join(1, [200])
    #expect(stage.read(available: 24).contains("ask c1 r1.1 medium 1:56M<144M"))
  }

  @Test("starts ahead of the low watermark where memory fills fast and steadily")
  func fillRate() {
    var stage = Stage()
    stage.join(1, [400])
    var lines: [String] = []
    for available in [200, 175, 150, 125, 100] as [UInt64] {
      lines += stage.read(available: available)
      stage.clock += 250
    }
    // 100 MiB a second: in 2 s nothing would be left. High 80 + band 30 - available 100 = 10.
    #expect(lines.contains("ask c1 r1.1 low 1:10M<390M"))
  }

  @Test("ignores a step that is no trend")
  func step() {
    var stage = Stage()
    stage.join(1, [400])
    var lines: [String] = []
    for available in [200, 200, 110, 110, 110] as [UInt64] {
      lines += stage.read(available: available)
      stage.clock += 250
    }
    #expect(!lines.contains { $0.hasPrefix("open") })
  }

  @Test("is not started by an alarm that the second reading does not confirm")
  func falseAlarm() {
    var stage = Stage()
    stage.join(1, [200])
    _ = stage.read(available: 500, some: 100, scanned: 7)
    stage.clock += 1_000
    #expect(stage.alarm(.critical, available: 500, some: 900, scanned: 7) == [])
    stage.clock += 100
    // Memory is scarce, but nobody stalled since the last reading.
    #expect(
      stage.alarm(.critical, available: 79, some: 900, scanned: 7)
        == ["state host idle>watching"]
    )
    #expect(stage.broker.level == .none)
    // A notice of the service manager carries no counter: scarce memory is enough.
    #expect(
      stage.alarm(.medium, .watch, available: 60, some: 900).prefix(2)
        == ["level host none>medium", "open r1"]
    )
  }

  @Test("a confirmed alarm with nothing missing raises the level and asks nobody")
  func alarmWithoutDeficit() {
    var stage = Stage()
    stage.join(1, [200])
    _ = stage.read(available: 90, some: 100, scanned: 7)
    stage.clock += 1_000
    #expect(
      stage.alarm(.low, available: 90, some: 200, scanned: 8) == ["level host none>low"]
    )
  }

  @Test("below the dead band is not worth it")
  func deadBand() {
    var stage = Stage()
    stage.join(1, [200])
    _ = stage.read(available: 90)
    stage.clock += 1_000
    #expect(
      stage.alarm(.low, available: 73, some: 100) == ["level host none>low"]
    )
  }

  @Test("asks for at most a quarter of the capacity")
  func quarter() {
    var configuration = Configuration()
    configuration.watermarks = WatermarkSettings(
      low: .part(.percent(40)),
      high: .part(.percent(60)),
      grow: .part(.percent(70)),
      isExplicit: true
    )
    var stage = Stage()
    _ = stage.send(.configured(configuration))
    stage.join(1, [900])
    #expect(stage.read(available: 100).contains("ask c1 r1.1 medium 1:250M<650M"))
  }

  @Test("does not ask again for what is in flight")
  func inFlight() {
    var stage = Stage()
    stage.join(1, [200])
    stage.join(2, [200], domains: ["/a"])
    _ = stage.ask(30, scope: .domain(.cgroup("/a")))
    // 80 - 30 missing, 30 of it on its way; the limit of client 2 counts both rounds.
    #expect(
      stage.read(available: 30).filter { $0.hasPrefix("ask") }
        == ["ask c1 r2.1 low 1:10M<190M", "ask c2 r2.1 low 1:10M<160M"]
    )
  }

  @Test("makes its last attempt one level up")
  func escalation() {
    var stage = Stage()
    stage.join(1, [200])
    var declaration = stage.cache(1).declaration
    declaration.minimumLevel = .medium
    _ = stage.send(.registered(ClientID(1), CacheID(2), declaration))
    #expect(stage.read(available: 40).contains("ask c1 r1.1 low 1:40M<160M"))
    #expect(stage.answer(1, part: 10).last == "ask c1 r1.2 low 1:36M<160M")
    let last = stage.answer(1, part: 0).last
    #expect(last == "ask c1 r1.3 medium 1:16M<180M 2:20M<180M")
    #expect(stage.answer(1, part: 0) == [])
    #expect(stage.pass(milliseconds: 200).contains("close r1"))
  }

  @Test("rests for a second after a round that brought nothing")
  func rest() {
    var stage = Stage()
    stage.join(1, [200])
    _ = stage.read(available: 40)
    _ = stage.pass(milliseconds: 2_000)
    #expect(stage.broker.state == .hold)
    stage.clock += 250
    #expect(stage.read(available: 40) == [])
    stage.clock += 1_000
    #expect(stage.read(available: 40).first == "open r2")
  }

  @Test("starts again out of hold when memory is short again")
  func again() {
    var stage = Stage()
    stage.join(1, [400])
    _ = stage.read(available: 40)
    _ = stage.answer(1)
    _ = stage.pass(milliseconds: 200)
    #expect(stage.broker.state == .hold)
    stage.clock += 250
    // Memory did not rise by what was given, so a byte given counts as 85 %: 50 MiB need 58.8.
    #expect(
      stage.read(available: 30) == [
        "open r2", "measure 11", "ask c1 r2.1 low 1:60236K<308404K", "state host hold>round",
      ]
    )
  }

  @Test("does not start while paused, and does after")
  func pause() {
    var stage = Stage()
    stage.join(1, [400])
    let until = MonotonicInstant(nanoseconds: 3_000_000_000)
    #expect(stage.send(.paused(until: until)) == ["pause"])
    #expect(stage.send(.paused(until: until)) == [])
    #expect(
      stage.read(available: 40) == ["level host none>low", "state host idle>watching"]
    )
    #expect(stage.broker.isPaused)
    #expect(stage.ask(10).contains("ask c1 r1.1 medium 1:10M<390M"))
    _ = stage.answer(1)
    let lines = stage.pass(milliseconds: 3_000)
    #expect(lines.contains("resume"))
    #expect(stage.broker.isPaused == false)
    #expect(stage.read(available: 40).contains("open r2"))
    #expect(stage.send(.resumed) == [])
  }

  @Test("leaves collectors alone at critical and asks caches only from their level on")
  func participation() {
    var stage = Stage()
    stage.join(1, [100])
    stage.join(2, [100])
    stage.join(3, [100])
    var declaration = stage.cache(2).declaration
    declaration.release = .gc
    _ = stage.send(.updated(ClientID(2), CacheID(1), declaration))
    declaration.release = .slow
    declaration.minimumLevel = .critical
    _ = stage.send(.updated(ClientID(3), CacheID(1), declaration))
    let members = { (level: PressureLevel) in
      stage.broker.plan(
        RoundRequest(bytes: .mebibytes(30), level: level, scope: .manual, dryRun: false)
      ).clients.map(\.client.ordinal)
    }
    #expect(members(.low) == [1, 2])
    #expect(members(.medium) == [1, 2])
    #expect(members(.critical) == [1, 3])
  }
}

@Suite("An idle daemon")
struct IdleTests {
  @Test("with nobody to ask is never woken")
  func nobody() {
    var stage = Stage()
    _ = stage.read(available: 500)
    #expect(stage.wakesIn == nil)
    stage.join(1, [])
    #expect(stage.wakesIn == nil)
  }

  @Test("with something to ask for reads every 5 s, and the sooner the nearer the low watermark is")
  func polls() {
    var stage = Stage()
    _ = stage.read(available: 500)
    stage.join(1, [100])
    #expect(stage.wakesIn == 5_000)
    #expect(stage.pass(milliseconds: 5_000) == ["sample host"])
    // At 320 of the 1,000 MiB a second, from 249 and 146 to the low watermark of 50.
    _ = stage.read(available: 250)
    #expect(stage.wakesIn == 5_000)
    _ = stage.read(available: 249)
    #expect(stage.wakesIn == 621)
    _ = stage.read(available: 146)
    #expect(stage.wakesIn == 300)
    _ = stage.read(available: 99)
    #expect(stage.wakesIn == 250)
    _ = stage.send(.reported(ClientID(1), CacheID(1), .zero))
    #expect(stage.wakesIn == nil)
    _ = stage.send(.reported(ClientID(1), CacheID(1), .mebibytes(1)))
    _ = stage.send(.unregistered(ClientID(1), CacheID(1)))
    #expect(stage.wakesIn == nil)
  }

  @Test("reads sooner while memory falls steadily")
  func fallingPolls() {
    var stage = Stage()
    stage.join(1, [100])
    for available in [240, 230, 220, 210, 200] as [UInt64] {
      _ = stage.read(available: available)
      stage.clock += 1_000
    }
    // At 500 MiB a second, from 200 and 99 to the low watermark of 50, the reading a second ago.
    stage.clock -= 1_000
    #expect(stage.wakesIn == 300)
    stage.clock += 100
    _ = stage.read(available: 99)
    #expect(stage.wakesIn == 100)
  }

  @Test("forgets a willing client that detaches, and remembers it when it is back")
  func detached() {
    var stage = Stage()
    stage.join(1, [100])
    #expect(stage.wakesIn == 5_000)
    _ = stage.send(.detached(ClientID(1)))
    #expect(stage.wakesIn == nil)
    #expect(stage.broker.totals.clients == 0)
    _ = stage.send(.reattached(ClientID(1), .plain(1, process: 99)))
    #expect(stage.wakesIn == 5_000)
    #expect(stage.cache(1).declaration.usage.bytes == .mebibytes(100))
  }
}
