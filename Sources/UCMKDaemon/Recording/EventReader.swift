// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
package import UCMKModel
package import UCMKProtocol

/// Reads the lines that `EventWriter` writes.
package enum EventReader {
  /// One recorded event and its instant.
  ///
  /// - Throws: What was wanted, where the line is no event.
  package static func read(
    _ value: JSONValue
  ) throws(RecordingFault) -> (Event, MonotonicInstant) {
    let fields = RecordedFields(value)
    let now = try fields.instant("at")
    let name = try fields.text("event")
    if let event = try administration(name, fields) { return (event, now) }
    if let event = try sensing(name, fields) { return (event, now) }
    if let event = try clients(name, fields) { return (event, now) }
    if let event = try rounds(name, fields) { return (event, now) }
    if name == "gap" {
      let count = try fields.number("lost")
      throw RecordingFault("the \(count) events for which the disk was too slow")
    }
    throw RecordingFault("an event that exists, not \(name)")
  }

  private static func administration(
    _ name: String,
    _ fields: RecordedFields
  ) throws(RecordingFault) -> Event? {
    switch name {
    case "configured": return .configured(try ConfigurationCodec.read(fields))
    case "hostKnown":
      let page = try fields.number("page")
      guard page > 0 else { throw RecordingFault("a page of some size") }
      return .hostKnown(
        HostFacts(
          memoryTotal: try fields.bytes("total"),
          pageSize: page,
          kernelHighMarks: try fields.bytes("marks")
        )
      )
    case "paused":
      return .paused(until: fields.has("until") ? try fields.instant("until") : nil)
    case "resumed": return .resumed
    case "ticked": return .ticked
    case "overridden":
      var override = CacheOverride()
      if fields.has("share") { override.share = try fields.number32("share") }
      override.floor = try fields.optionalBytes("floor")
      if fields.has("min_level") { override.minimumLevel = try fields.level("min_level") }
      if fields.has("until") { override.until = try fields.instant("until") }
      return .overridden(try fields.client(), try fields.cache(), override)
    default: return nil
    }
  }

  private static func sensing(
    _ name: String,
    _ fields: RecordedFields
  ) throws(RecordingFault) -> Event? {
    switch name {
    case "sampled": return .sampled(try fields.domain("domain"), try reading(fields))
    case "alarmed":
      guard let source = AlarmSource(rawValue: UInt8(clamping: try fields.number("source"))) else {
        throw RecordingFault("a source of alarms")
      }
      return .alarmed(
        try fields.domain("domain"),
        try fields.level("level"),
        source,
        try reading(fields)
      )
    case "domainLost": return .domainLost(try fields.domain("domain"))
    case "domainFound": return .domainFound(try fields.domain("domain"))
    case "protected":
      let protection = CgroupProtection(low: try fields.bytes("low"), min: try fields.bytes("min"))
      return .protected(try fields.text("cgroup"), protection)
    case "measured":
      let process = try fields.process("pid")
      guard fields.has("resident") else { return .measured(process, nil) }
      return .measured(
        process,
        ProcessReading(
          resident: try fields.bytes("resident"),
          lazyFree: try fields.optionalBytes("lazy"),
          soleCgroupCurrent: try fields.optionalBytes("current")
        )
      )
    default: return nil
    }
  }

  private static func clients(
    _ name: String,
    _ fields: RecordedFields
  ) throws(RecordingFault) -> Event? {
    switch name {
    case "joined": return .joined(try fields.client(), try facts(fields))
    case "relocated": return .relocated(try fields.client(), try facts(fields))
    case "reattached": return .reattached(try fields.client(), try facts(fields))
    case "remembered":
      return .remembered(
        try fields.client(),
        RememberedBehaviour(
          trust: Permyriad(try fields.number32("trust")),
          fellShort: try fields.truth("fell_short"),
          ledger: try fields.signed("ledger"),
          keepsMemory: try fields.truth("keeps_memory"),
          measuredRounds: try fields.laterCount("measured_rounds")
        )
      )
    case "registered":
      return .registered(try fields.client(), try fields.cache(), try declaration(fields))
    case "updated":
      return .updated(try fields.client(), try fields.cache(), try declaration(fields))
    case "unregistered": return .unregistered(try fields.client(), try fields.cache())
    case "reported":
      return .reported(try fields.client(), try fields.cache(), try usage(fields))
    case "detached": return .detached(try fields.client())
    case "left": return .left(try fields.client())
    default: return nil
    }
  }

  private static func rounds(
    _ name: String,
    _ fields: RecordedFields
  ) throws(RecordingFault) -> Event? {
    switch name {
    case "freed":
      let report = FreedReport(
        cache: try fields.cache(),
        freed: try fields.bytes("freed"),
        bytes: try fields.bytes("bytes"),
        reclaimable: try fields.bytes("reclaimable"),
        more: try fields.truth("more")
      )
      return .freed(
        try fields.client(),
        try fields.round(),
        attempt: try fields.attempt(),
        report
      )
    case "answered":
      return .answered(try fields.client(), try fields.round(), attempt: try fields.attempt())
    case "refused":
      return .refused(
        try fields.client(),
        try fields.round(),
        attempt: try fields.attempt(),
        retryAfter: TimeSpan(nanoseconds: try fields.number("retry_ns"))
      )
    case "undelivered":
      return .undelivered(try fields.client(), try fields.round(), attempt: try fields.attempt())
    case "requested":
      let request = RoundRequest(
        bytes: try fields.optionalBytes("bytes"),
        level: try fields.level("level"),
        scope: fields.has("domain") ? .domain(try fields.domain("domain")) : .manual,
        dryRun: try fields.truth("dry_run")
      )
      return .requested(RequestToken(try fields.number("token")), request)
    default: return nil
    }
  }

  // MARK: - Parts

  private static func facts(_ fields: RecordedFields) throws(RecordingFault) -> ClientFacts {
    var domains: [DomainID] = []
    for value in try fields.list("domains") {
      guard let path = value.string, path.first == "/" else {
        throw RecordingFault("paths in domains")
      }
      domains.append(.cgroup(path))
    }
    var facts = ClientFacts(
      name: try fields.text("name"),
      process: try fields.process("pid"),
      user: try fields.number32("uid"),
      cgroup: try fields.optionalText("cgroup"),
      domains: domains,
      grantedShare: try fields.number32("share"),
      grantedFloor: try fields.bytes("floor")
    )
    facts.takesRequests = fields.has("shrink") ? try fields.truth("shrink") : true
    return facts
  }

  private static func declaration(
    _ fields: RecordedFields
  ) throws(RecordingFault) -> CacheDeclaration {
    guard let release = ReleaseKind(name: try fields.text("release")) else {
      throw RecordingFault("a kind of release")
    }
    let texts = try fields.list("labels")
    guard texts.count.isMultiple(of: 2) else { throw RecordingFault("labels in pairs") }
    var labels: [CacheDeclaration.Label] = []
    for index in stride(from: 0, to: texts.count, by: 2) {
      guard let key = texts[index].string, let value = texts[index + 1].string else {
        throw RecordingFault("labels of strings")
      }
      labels.append(CacheDeclaration.Label(key: key, value: value))
    }
    return CacheDeclaration(
      name: try fields.text("name"),
      share: try fields.number32("share"),
      floor: try fields.bytes("floor"),
      ceiling: try fields.optionalBytes("ceiling"),
      costMicrosecondsPerMiB: try fields.number32("cost"),
      minimumLevel: try fields.level("min_level"),
      release: release,
      usage: try usage(fields),
      labels: labels
    )
  }

  private static func usage(_ fields: RecordedFields) throws(RecordingFault) -> CacheUsage {
    CacheUsage(
      bytes: try fields.bytes("bytes"),
      reclaimable: try fields.bytes("reclaimable"),
      cold: try fields.optionalBytes("cold"),
      refillMicrosecondsPerMiB: try fields.optionalNumber32("refill"),
      entries: try fields.optionalNumber("entries"),
      hits: try fields.optionalNumber("hits"),
      misses: try fields.optionalNumber("misses")
    )
  }

  private static func reading(_ fields: RecordedFields) throws(RecordingFault) -> DomainReading {
    var pressure: PressureReading?
    if fields.has("some") {
      pressure = PressureReading(
        some: try line(try fields.list("some")),
        full: try line(try fields.list("full"))
      )
    }
    return DomainReading(
      capacity: try fields.bytes("capacity"),
      available: try fields.bytes("available"),
      pressure: pressure,
      reclaimScanned: try fields.optionalNumber("scanned"),
      refaults: try fields.optionalNumber("refaults"),
      swapFree: try fields.optionalBytes("swap")
    )
  }

  private static func line(_ values: [JSONValue]) throws(RecordingFault) -> PressureLine {
    var numbers: [UInt64] = []
    for value in values {
      guard let number = value.unsigned else { throw RecordingFault("numbers of pressure") }
      numbers.append(number)
    }
    guard numbers.count == 4, let first = UInt32(exactly: numbers[0]),
      let second = UInt32(exactly: numbers[1]), let third = UInt32(exactly: numbers[2])
    else { throw RecordingFault("three averages and a total of pressure") }
    return PressureLine(
      average10: first,
      average60: second,
      average300: third,
      total: TimeSpan(nanoseconds: numbers[3])
    )
  }
}
