// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKCore
package import UCMKModel
package import UCMKProtocol

/// Writes effects as lines of JSON: what a replay prints.
package enum EffectWriter {
  /// Writes one line with its LF; ranges are resolved in the broker's buffers.
  package static func write(
    _ effect: Effect,
    of broker: borrowing Broker,
    at now: MonotonicInstant,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("at", now.nanoseconds)
    switch effect {
    case .watch(let domain): named("watch", domain, &writer)
    case .unwatch(let domain): named("unwatch", domain, &writer)
    case .sample(let domain): named("sample", domain, &writer)
    case .measure(let process):
      writer.member("effect", "measure" as StaticString)
      writer.member("pid", signed: Int64(process.number))
    case .ask(let order): write(order, broker.targets[order.targets], &writer)
    case .cancel(let client, let round, let attempt):
      named("cancel", client, &writer)
      writer.member("round", round: round)
      writer.member("attempt", UInt64(attempt))
    case .limit(let client, let range):
      named("limit", client, &writer)
      write(broker.limits[range], &writer)
    case .relax(let client, let round, let level, let range):
      named("relax", client, &writer)
      writer.member("round", round: round)
      writer.member("level", level)
      write(broker.limits[range], &writer)
    case .leftOut(let client): named("leftOut", client, &writer)
    case .keepsMemory(let client): named("keepsMemory", client, &writer)
    case .exhausted(let domain): named("exhausted", domain, &writer)
    case .relieved(let domain): named("relieved", domain, &writer)
    case .levelChanged(let domain, let from, let to):
      named("levelChanged", domain, &writer)
      writer.member("from", from)
      writer.member("to", to)
    case .stateChanged(let domain, let from, let to):
      named("stateChanged", domain, &writer)
      writer.member("from", from.name)
      writer.member("to", to.name)
    case .roundOpened(let round): named("roundOpened", round, &writer)
    case .roundClosed(let round): named("roundClosed", round, &writer)
    case .accepted(let token, let round):
      named("accepted", round, &writer)
      writer.member("token", token.number)
    case .declined(let token, .busy(let retryAfter)):
      writer.member("effect", "declined" as StaticString)
      writer.member("token", token.number)
      writer.member("retry_ns", retryAfter.nanoseconds)
    case .pauseChanged(let isPaused):
      writer.member("effect", "pauseChanged" as StaticString)
      writer.member("paused", isPaused)
    }
    writer.endObject()
    writer.endLine()
  }

  private static func named(
    _ name: StaticString,
    _ domain: DomainID,
    _ writer: inout JSONWriter
  ) {
    writer.member("effect", name)
    writer.member("domain", domain.name)
  }

  private static func named(
    _ name: StaticString,
    _ client: ClientID,
    _ writer: inout JSONWriter
  ) {
    writer.member("effect", name)
    writer.member("client", client.ordinal)
  }

  private static func named(_ name: StaticString, _ round: RoundID, _ writer: inout JSONWriter) {
    writer.member("effect", name)
    writer.member("round", round: round)
  }

  private static func write(
    _ order: ShrinkOrder,
    _ targets: ArraySlice<ShrinkTarget>,
    _ writer: inout JSONWriter
  ) {
    named("ask", order.client, &writer)
    writer.member("round", round: order.round)
    writer.member("attempt", UInt64(order.attempt))
    writer.member("level", order.level)
    writer.member("scope", scope: order.scope)
    writer.member("deadline_ns", order.deadline.nanoseconds)
    writer.member("trim", order.trim)
    writer.member("dry_run", order.dryRun)
    writer.key("targets")
    writer.beginArray()
    for target in targets {
      writer.beginArray()
      writer.unsigned(UInt64(target.cache.number))
      writer.unsigned(target.bytes.value)
      if let limit = target.limit { writer.unsigned(limit.value) } else { writer.null() }
      writer.endArray()
    }
    writer.endArray()
  }

  private static func write(_ limits: ArraySlice<CacheLimit>, _ writer: inout JSONWriter) {
    writer.key("limits")
    writer.beginArray()
    for limit in limits {
      writer.beginArray()
      writer.unsigned(UInt64(limit.cache.number))
      if let bytes = limit.limit { writer.unsigned(bytes.value) } else { writer.null() }
      writer.endArray()
    }
    writer.endArray()
  }
}
