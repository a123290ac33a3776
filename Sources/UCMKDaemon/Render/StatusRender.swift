// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// One source of pressure as `status` lists it.
struct TriggerStatus: Sendable, Equatable {
  /// How a source gets to know of stalls.
  enum Source: Sendable, Equatable {
    /// A trigger of the kernel.
    case trigger
    /// Averages, read from time to time.
    case average
    /// `$MEMORY_PRESSURE_WATCH`.
    case watch
  }

  /// The domain it is about.
  var domain: DomainID
  /// The stall and the window in force, which may be coarser than those configured.
  var threshold: StallThreshold
  /// Where it comes from.
  var source: Source
}

/// Everything in Status that the core does not know.
struct StatusFacts {
  var version: String
  var uptime: TimeSpan
  var isDegraded: Bool
  var host: DomainReading?
  var triggers: [TriggerStatus]
  /// Notices of stalls that sources gave since the start.
  var alarms: UInt64
  var reportsDropped: UInt64
  var notificationsDropped: UInt64
  /// Name and state (`on`, `off`, `error: …`) of each way to a program, in a fixed order.
  var surfaces: [(name: String, state: String)]
}

/// Writes Status as `docs/PROTOCOL.md` §7 shows it.
enum StatusRender {
  /// The Status object.
  static func write(_ broker: borrowing Broker, _ facts: StatusFacts, to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("state", state(of: broker, isDegraded: facts.isDegraded))
    writer.member("level", broker.level)
    writer.member("version", facts.version)
    writer.member("protocol", 1 as UInt64)
    writer.member("uptime_ms", milliseconds: facts.uptime)
    write(facts.host?.pressure ?? .zero, to: &writer)
    writer.key("memory")
    writer.beginObject()
    writer.member("total", facts.host?.capacity ?? .zero)
    writer.member("available", facts.host?.available ?? .zero)
    writer.member("swap_free", facts.host?.swapFree ?? .zero)
    writer.endObject()
    writeDomains(broker.domains, to: &writer)
    writeTriggers(facts.triggers, to: &writer)
    writeSums(broker.totals, facts, to: &writer)
    writer.key("surfaces")
    writer.beginObject()
    for surface in facts.surfaces {
      writer.key(surface.name)
      writer.string(surface.state)
    }
    writer.endObject()
    writer.member("last_round", round: broker.lastRound)
    writer.endObject()
  }

  /// The word for the whole daemon.
  static func state(of broker: borrowing Broker, isDegraded: Bool) -> String {
    if broker.isPaused { return "paused" }
    if isDegraded, broker.state == .idle { return "degraded" }
    return broker.state.name
  }

  private static func write(_ pressure: PressureReading, to writer: inout JSONWriter) {
    func line(_ name: StaticString, _ line: PressureLine, _ writer: inout JSONWriter) {
      writer.key(name)
      writer.beginObject()
      writer.member("avg10", UInt64(line.average10))
      writer.member("avg60", UInt64(line.average60))
      writer.member("avg300", UInt64(line.average300))
      writer.member("total_us", line.total.microseconds)
      writer.endObject()
    }
    writer.key("psi")
    writer.beginObject()
    line("some", pressure.some, &writer)
    line("full", pressure.full, &writer)
    writer.endObject()
  }

  private static func writeDomains(_ domains: [DomainView], to writer: inout JSONWriter) {
    writer.key("domains")
    writer.beginArray()
    var shown = 0
    for domain in domains where writer.count < Daemon.listBytes {
      shown += 1
      writer.beginObject()
      writer.member("scope", scope: .domain(domain.domain))
      writer.member("state", domain.state.name)
      writer.member("level", domain.level)
      writer.member("capacity", domain.reading?.capacity ?? .zero)
      writer.member("available", domain.reading?.available ?? .zero)
      writer.member("low", domain.low)
      writer.member("high", domain.high)
      writer.member("grow", domain.grow)
      writer.member("exhausted", domain.isExhausted)
      writer.endObject()
    }
    writer.endArray()
    if shown < domains.count { writer.member("domains_left_out", count: domains.count - shown) }
  }

  /// Triggers are left out behind this many bytes: with one domain for each of thousands of clients
  /// they would not fit a line.
  private static let triggerBytes = 192 << 10

  private static func writeTriggers(_ triggers: [TriggerStatus], to writer: inout JSONWriter) {
    writer.key("triggers")
    writer.beginArray()
    for trigger in triggers where writer.count < triggerBytes {
      writer.beginObject()
      writer.member("scope", scope: .domain(trigger.domain))
      writer.member("kind", trigger.threshold.isFull ? "full" as StaticString : "some")
      writer.member("stall_us", trigger.threshold.stall.microseconds)
      writer.member("window_us", trigger.threshold.window.microseconds)
      switch trigger.source {
      case .trigger: writer.member("source", "trigger" as StaticString)
      case .average: writer.member("source", "average" as StaticString)
      case .watch: writer.member("source", "watch" as StaticString)
      }
      writer.endObject()
    }
    writer.endArray()
  }

  private static func writeSums(
    _ totals: Totals,
    _ facts: StatusFacts,
    to writer: inout JSONWriter
  ) {
    writer.key("counts")
    writer.beginObject()
    writer.member("clients", count: totals.clients)
    writer.member("caches", count: totals.caches)
    writer.member("rounds", totals.rounds)
    writer.member("rounds_by_trigger", totals.byTrigger)
    writer.member("rounds_by_watermark", totals.byWatermark)
    writer.member("rounds_by_hand", totals.byHand)
    writer.member("alarms", facts.alarms)
    writer.member("timeouts", totals.timeouts)
    writer.member("reports_dropped", facts.reportsDropped)
    writer.member("notifications_dropped", facts.notificationsDropped)
    writer.endObject()
    writer.key("bytes")
    writer.beginObject()
    writer.member("registered", totals.registered)
    writer.member("reclaimable", totals.reclaimable)
    writer.member("asked", totals.asked)
    writer.member("claimed", totals.claimed)
    writer.member("measured", totals.measured)
    writer.endObject()
  }
}
