// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
package import UCMKModel
package import UCMKProtocol

/// Writes events as lines of JSON: the form of recordings and of the flight recorder.
///
/// One event a line, `{"at":NANOSECONDS,"event":NAME,…}`; what is absent is left out. The names are
/// those of the cases, so that a line can be read beside the code.
package enum EventWriter {
  /// Writes one line with its LF.
  package static func write(
    _ event: Event,
    at now: MonotonicInstant,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("at", now.nanoseconds)
    switch event {
    case .configured, .hostKnown, .paused, .resumed, .ticked, .overridden:
      administration(event, &writer)
    case .sampled, .alarmed, .domainLost, .domainFound, .protected, .measured:
      sensing(event, &writer)
    case .joined, .remembered, .registered, .updated, .unregistered, .reported, .relocated,
      .detached, .reattached, .left:
      clients(event, &writer)
    case .freed, .answered, .refused, .undelivered, .requested: rounds(event, &writer)
    }
    writer.endObject()
    writer.endLine()
  }

  /// Writes the line that stands where events are missing, with its LF.
  package static func writeGap(
    _ count: UInt64,
    at now: MonotonicInstant,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("at", now.nanoseconds)
    writer.name("gap")
    writer.member("lost", count)
    writer.endObject()
    writer.endLine()
  }

  private static func administration(_ event: Event, _ writer: inout JSONWriter) {
    switch event {
    case .configured(let configuration):
      writer.name("configured")
      ConfigurationCodec.write(configuration, to: &writer)
    case .hostKnown(let facts):
      writer.name("hostKnown")
      writer.member("total", raw: facts.memoryTotal)
      writer.member("page", facts.pageSize)
      writer.member("marks", raw: facts.kernelHighMarks)
    case .paused(let until):
      writer.name("paused")
      if let until { writer.member("until", until.nanoseconds) }
    case .resumed: writer.name("resumed")
    case .ticked: writer.name("ticked")
    case .overridden(let client, let cache, let override):
      writer.name("overridden")
      writer.member("client", client.ordinal)
      writer.member("cache", UInt64(cache.number))
      if let share = override.share { writer.member("share", UInt64(share)) }
      if let floor = override.floor { writer.member("floor", raw: floor) }
      if let level = override.minimumLevel { writer.member("min_level", level) }
      if let until = override.until { writer.member("until", until.nanoseconds) }
    default: preconditionFailure("an event of another group")
    }
  }

  private static func sensing(_ event: Event, _ writer: inout JSONWriter) {
    switch event {
    case .sampled(let domain, let reading):
      writer.name("sampled")
      writer.member("domain", domain.name)
      write(reading, &writer)
    case .alarmed(let domain, let level, let source, let reading):
      writer.name("alarmed")
      writer.member("domain", domain.name)
      writer.member("level", level)
      writer.member("source", UInt64(source.rawValue))
      write(reading, &writer)
    case .domainLost(let domain):
      writer.name("domainLost")
      writer.member("domain", domain.name)
    case .domainFound(let domain):
      writer.name("domainFound")
      writer.member("domain", domain.name)
    case .protected(let path, let protection):
      writer.name("protected")
      writer.member("cgroup", path)
      writer.member("low", raw: protection.low)
      writer.member("min", raw: protection.min)
    case .measured(let process, let reading):
      writer.name("measured")
      writer.member("pid", signed: Int64(process.number))
      if let reading {
        writer.member("resident", raw: reading.resident)
        if let lazy = reading.lazyFree { writer.member("lazy", raw: lazy) }
        if let current = reading.soleCgroupCurrent { writer.member("current", raw: current) }
      }
    default: preconditionFailure("an event of another group")
    }
  }

  private static func clients(_ event: Event, _ writer: inout JSONWriter) {
    switch event {
    case .joined(let client, let facts): write("joined", client, facts, &writer)
    case .relocated(let client, let facts): write("relocated", client, facts, &writer)
    case .remembered(let client, let memory):
      write("remembered", client, &writer)
      writer.member("trust", UInt64(memory.trust.parts))
      writer.member("fell_short", memory.fellShort)
      writer.member("ledger", signed: memory.ledger)
      writer.member("keeps_memory", memory.keepsMemory)
      writer.member("measured_rounds", UInt64(memory.measuredRounds))
    case .reattached(let client, let facts): write("reattached", client, facts, &writer)
    case .registered(let client, let cache, let declaration):
      write("registered", client, cache, declaration, &writer)
    case .updated(let client, let cache, let declaration):
      write("updated", client, cache, declaration, &writer)
    case .unregistered(let client, let cache):
      writer.name("unregistered")
      writer.member("client", client.ordinal)
      writer.member("cache", UInt64(cache.number))
    case .reported(let client, let cache, let usage):
      writer.name("reported")
      writer.member("client", client.ordinal)
      writer.member("cache", UInt64(cache.number))
      write(usage, &writer)
    case .detached(let client): write("detached", client, &writer)
    case .left(let client): write("left", client, &writer)
    default: preconditionFailure("an event of another group")
    }
  }

  private static func rounds(_ event: Event, _ writer: inout JSONWriter) {
    switch event {
    case .freed(let client, let round, let attempt, let report):
      write("freed", client, round, attempt, &writer)
      writer.member("cache", UInt64(report.cache.number))
      writer.member("freed", raw: report.freed)
      writer.member("bytes", raw: report.bytes)
      writer.member("reclaimable", raw: report.reclaimable)
      writer.member("more", report.more)
    case .answered(let client, let round, let attempt):
      write("answered", client, round, attempt, &writer)
    case .refused(let client, let round, let attempt, let retryAfter):
      write("refused", client, round, attempt, &writer)
      writer.member("retry_ns", retryAfter.nanoseconds)
    case .undelivered(let client, let round, let attempt):
      write("undelivered", client, round, attempt, &writer)
    case .requested(let token, let request):
      writer.name("requested")
      writer.member("token", token.number)
      if let bytes = request.bytes { writer.member("bytes", raw: bytes) }
      writer.member("level", request.level)
      if case .domain(let domain) = request.scope { writer.member("domain", domain.name) }
      writer.member("dry_run", request.dryRun)
    default: preconditionFailure("an event of another group")
    }
  }

  // MARK: - Parts

  private static func write(
    _ name: StaticString,
    _ client: ClientID,
    _ writer: inout JSONWriter
  ) {
    writer.name(name)
    writer.member("client", client.ordinal)
  }

  private static func write(
    _ name: StaticString,
    _ client: ClientID,
    _ round: RoundID,
    _ attempt: UInt8,
    _ writer: inout JSONWriter
  ) {
    write(name, client, &writer)
    writer.member("round", round.number)
    writer.member("attempt", UInt64(attempt))
  }

  private static func write(
    _ name: StaticString,
    _ client: ClientID,
    _ facts: ClientFacts,
    _ writer: inout JSONWriter
  ) {
    write(name, client, &writer)
    writer.member("name", facts.name)
    writer.member("pid", signed: Int64(facts.process.number))
    writer.member("uid", UInt64(facts.user))
    if let cgroup = facts.cgroup { writer.member("cgroup", cgroup) }
    writer.key("domains")
    writer.beginArray()
    for domain in facts.domains { writer.string(domain.name) }
    writer.endArray()
    writer.member("share", UInt64(facts.grantedShare))
    writer.member("floor", raw: facts.grantedFloor)
    if !facts.takesRequests { writer.member("shrink", false) }
  }

  private static func write(
    _ name: StaticString,
    _ client: ClientID,
    _ cache: CacheID,
    _ declaration: CacheDeclaration,
    _ writer: inout JSONWriter
  ) {
    write(name, client, &writer)
    writer.member("cache", UInt64(cache.number))
    writer.member("name", declaration.name)
    writer.member("share", UInt64(declaration.share))
    writer.member("floor", raw: declaration.floor)
    if let ceiling = declaration.ceiling { writer.member("ceiling", raw: ceiling) }
    writer.member("cost", UInt64(declaration.costMicrosecondsPerMiB))
    writer.member("min_level", declaration.minimumLevel)
    writer.member("release", declaration.release.name)
    writer.key("labels")
    writer.beginArray()
    for label in declaration.labels {
      writer.string(label.key)
      writer.string(label.value)
    }
    writer.endArray()
    write(declaration.usage, &writer)
  }

  private static func write(_ usage: CacheUsage, _ writer: inout JSONWriter) {
    writer.member("bytes", raw: usage.bytes)
    writer.member("reclaimable", raw: usage.reclaimable)
    if let cold = usage.cold { writer.member("cold", raw: cold) }
    if let refill = usage.refillMicrosecondsPerMiB { writer.member("refill", UInt64(refill)) }
    if let entries = usage.entries { writer.member("entries", entries) }
    if let hits = usage.hits { writer.member("hits", hits) }
    if let misses = usage.misses { writer.member("misses", misses) }
  }

  private static func write(_ reading: DomainReading, _ writer: inout JSONWriter) {
    writer.member("capacity", raw: reading.capacity)
    writer.member("available", raw: reading.available)
    if let pressure = reading.pressure {
      line("some", pressure.some, &writer)
      line("full", pressure.full, &writer)
    }
    if let scanned = reading.reclaimScanned { writer.member("scanned", scanned) }
    if let refaults = reading.refaults { writer.member("refaults", refaults) }
    if let swap = reading.swapFree { writer.member("swap", raw: swap) }
  }

  private static func line(
    _ name: StaticString,
    _ line: PressureLine,
    _ writer: inout JSONWriter
  ) {
    writer.key(name)
    writer.beginArray()
    writer.unsigned(UInt64(line.average10))
    writer.unsigned(UInt64(line.average60))
    writer.unsigned(UInt64(line.average300))
    writer.unsigned(line.total.nanoseconds)
    writer.endArray()
  }
}

extension JSONWriter {
  /// Writes what a line is about.
  fileprivate mutating func name(_ name: StaticString) { member("event", name) }

  /// Writes bytes as they are: a recording must bring back the very value, also one above what
  /// the wire can carry.
  package mutating func member(_ name: StaticString, raw value: ByteCount) {
    key(name)
    unsigned(value.value)
  }
}
