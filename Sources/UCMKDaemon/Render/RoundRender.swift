// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// Where a page of a round begins.
enum RoundCursor: Equatable {
  /// With the first client.
  case start
  /// Behind a client.
  case client(ClientID)
  /// Among the attempts, behind all clients.
  case attempt(AttemptCursor)
}

/// Writes rounds and plans as `docs/PROTOCOL.md` §7 shows them.
enum RoundRender {
  /// How much of a round is written.
  enum Detail {
    /// Without its clients: `round.list`.
    case summary
    /// With its clients: `trigger`, events.
    case clients
    /// With the inputs and steps of each: `round.get`.
    case arithmetic
  }

  /// The Round object.
  static func write(
    _ round: RoundView,
    openedAtMicroseconds time: UInt64,
    detail: Detail,
    from cursor: RoundCursor = .start,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("round", round: round.round)
    writer.member("time_us", time)
    writer.member("scope", scope: round.scope)
    writer.member("level", round.level)
    writer.member("state", round.isOpen ? "open" as StaticString : "closed")
    writer.member("reason", round.reason.name)
    writer.member("dry_run", round.isDryRun)
    writer.member("target", round.target)
    writer.member("capacity", round.capacity)
    writer.member("part", round.part)
    writer.member("asked", round.asked)
    writer.member("claimed", round.claimed)
    writer.member("measured", round.measured)
    writer.member("unmet", round.unmet)
    writer.member("took_ms", milliseconds: round.took)
    if detail != .summary { writeLists(of: round, detail, from: cursor, to: &writer) }
    writer.endObject()
  }

  /// Writes the clients and, behind the last of them, the attempts, from the cursor on.
  private static func writeLists(
    of round: RoundView,
    _ detail: Detail,
    from cursor: RoundCursor,
    to writer: inout JSONWriter
  ) {
    var clients = round.clients[...]
    var start = AttemptCursor.start
    switch cursor {
    case .start: break
    case .client(let last): clients = clients.drop { $0.client <= last }
    case .attempt(let place): (clients, start) = ([], place)
    }
    let isCut = writePage(clients, to: &writer) { client, writer in
      write(client, of: round, arithmetic: detail == .arithmetic, to: &writer)
    }
    if !round.remembersClients { writer.member("clients_forgotten", true) }
    guard detail == .arithmetic, !isCut else { return }
    if let next = AttemptRender.write(round.attempts, from: start, to: &writer) {
      writer.member("next", next.name)
    }
  }

  private static func write(
    _ client: ClientQuota,
    of round: RoundView,
    arithmetic: Bool,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("session", client.client.name)
    writer.member("name", client.name)
    writer.member("pid", signed: Int64(client.process.number))
    writer.member("part", client.part)
    writer.member("asked", client.asked)
    writer.member("claimed", client.claimed)
    writer.member("measured", client.measured)
    writer.member("took_ms", milliseconds: client.took)
    writer.member("outcome", client.outcome.name)
    writer.key("caches")
    writer.beginArray()
    for cache in client.caches {
      writer.beginObject()
      writer.member("id", UInt64(cache.id.number))
      writer.member("name", cache.name)
      writer.member("part", cache.part)
      writer.member("asked", cache.asked)
      writer.member("claimed", cache.claimed)
      writer.endObject()
    }
    writer.endArray()
    if arithmetic {
      writeInputs(client, (round.rule, round.medianCost), to: &writer)
      writeSteps(
        client,
        of: (round.target, round.capacity, round.part, round.medianCost),
        to: &writer
      )
    }
    writer.endObject()
  }

  /// The result of `plan`.
  static func write(
    _ plan: PlanView,
    after cursor: ClientID?,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("target", plan.target)
    writer.member("capacity", plan.capacity)
    writer.member("part", plan.part)
    writer.member("unmet", plan.target - plan.part)
    writer.member("level", plan.level)
    writer.member("scope", scope: plan.scope)
    let clients = plan.clients.drop { client in cursor.map { client.client <= $0 } ?? false }
    _ = writePage(clients, to: &writer) { client, writer in
      writer.beginObject()
      writer.member("session", client.client.name)
      writer.member("name", client.name)
      writer.member("pid", signed: Int64(client.process.number))
      writer.member("cgroup", orNull: client.cgroup)
      writer.member("part", client.part)
      writer.member("asked", client.asked)
      writer.key("caches")
      writer.beginArray()
      for cache in client.caches {
        writer.beginObject()
        writer.member("id", UInt64(cache.id.number))
        writer.member("name", cache.name)
        writer.member("part", cache.part)
        writer.member("asked", cache.asked)
        writer.endObject()
      }
      writer.endArray()
      writeInputs(client, (plan.rule, plan.medianCost), to: &writer)
      writeSteps(
        client,
        of: (plan.target, plan.capacity, plan.part, plan.medianCost),
        to: &writer
      )
      writer.endObject()
    }
    if cursor == nil { write(plan.excluded, to: &writer) }
    writer.endObject()
  }

  /// Writes who takes no part, as far as the line has room for it beside a page of clients.
  private static func write(_ excluded: [ExcludedClient], to writer: inout JSONWriter) {
    writer.key("excluded")
    writer.beginArray()
    for client in excluded where writer.count < Daemon.listBytes / 2 * 3 {
      writer.beginObject()
      writer.member("session", client.client.name)
      writer.member("name", client.name)
      writer.member("pid", signed: Int64(client.process.number))
      writer.member("reason", client.reason.name)
      writer.endObject()
    }
    writer.endArray()
  }

  /// Writes `clients` until the line is long enough; `next` then says where to go on.
  ///
  /// - Returns: Whether it was.
  private static func writePage(
    _ clients: ArraySlice<ClientQuota>,
    to writer: inout JSONWriter,
    _ body: (ClientQuota, inout JSONWriter) -> Void
  ) -> Bool {
    var last: ClientID?
    var isCut = false
    writer.key("clients")
    writer.beginArray()
    for client in clients {
      guard writer.count < Daemon.listBytes else {
        isCut = true
        break
      }
      body(client, &writer)
      last = client.client
    }
    writer.endArray()
    if isCut, let last { writer.member("next", last.name) }
    return isCut
  }

  private static func writeInputs(
    _ client: ClientQuota,
    _ split: (rule: QuotaRule, medianCost: UInt32),
    to writer: inout JSONWriter
  ) {
    writer.key("inputs")
    writer.beginObject()
    writer.member("rule", split.rule.name)
    NodeRender.write(client.path, to: &writer)
    NodeRender.write(
      entry: (client.size, client.cap, client.weight, client.cold, client.cost),
      to: &writer
    )
    writer.member("deferred", client.deferred)
    NodeRender.write("level", client.cacheLevel, to: &writer)
    writer.member("median_cost_us_per_mib", UInt64(split.medianCost))
    writer.key("caches")
    writer.beginArray()
    for cache in client.caches {
      let inputs = cache.inputs
      writer.beginObject()
      writer.member("id", UInt64(cache.id.number))
      writer.member("name", cache.name)
      writer.member("bytes", inputs.bytes)
      writer.member("reclaimable", inputs.reclaimable)
      writer.member("measured", orNull: inputs.measured)
      writer.member("share", UInt64(inputs.share))
      writer.member("cost_us_per_mib", UInt64(inputs.costMicrosecondsPerMiB))
      writer.key("refill_us_per_mib")
      if let refill = inputs.refillMicrosecondsPerMiB {
        writer.unsigned(UInt64(refill))
      } else {
        writer.null()
      }
      writer.member("cost_band", UInt64(inputs.costBand.parts))
      writer.member("trust", UInt64(inputs.trust.parts))
      writer.member("ledger", signed: inputs.ledger)
      writer.member("floor", inputs.floor)
      writer.member("cap", inputs.cap)
      writer.member("weight", inputs.weight)
      writer.member("askable", inputs.askable)
      writer.member("cold", inputs.cold)
      writer.member("vouched", inputs.isVouched)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
  }

  /// The arithmetic in the order in which it is done, so that a person can repeat it.
  private static func writeSteps(
    _ client: ClientQuota,
    of whole: (target: ByteCount, capacity: ByteCount, part: ByteCount, medianCost: UInt32),
    to writer: inout JSONWriter
  ) {
    writer.key("steps")
    writer.beginArray()
    step("target of the round in bytes", whole.target.value, &writer)
    step("capacity: sum of the caps of everybody asked", whole.capacity.value, &writer)
    step("to divide: the smaller of both", whole.part.value, &writer)
    step("median cost of the caches that take part, us per MiB", UInt64(whole.medianCost), &writer)
    for cache in client.caches { writeSteps(cache.inputs, of: cache.name, to: &writer) }
    if let inputs = client.caches.first?.inputs {
      step("trust that counts, parts of 10000", UInt64(inputs.trust.parts), &writer)
      let isOwing = inputs.ledger < 0
      step(
        isOwing ? "ledger: owed from earlier rounds" : "ledger: given beyond its fair part so far",
        inputs.ledger.magnitude,
        &writer
      )
    }
    step(
      "size: bytes of its caches less the ledger, half to twice, at least cap",
      client.size.value,
      &writer
    )
    step("cap: sum of the caps of its caches", client.cap.value, &writer)
    step("weight: mean of its caches' weights by size", client.weight, &writer)
    NodeRender.steps(client.path) { step($0, $1, &writer) }
    step("part: size - level x weight within 0...cap", client.part.value, &writer)
    if let level = client.cacheLevel {
      step("level of its caches, above the line", level.numerator, &writer)
      step("level of its caches, below the line", level.denominator, &writer)
    }
    for cache in client.caches {
      step("\(cache.name): part of the part, by the same rule", cache.part.value, &writer)
      step(
        "\(cache.name): asked, part over trust (all asks at most twice the target), whole pages",
        cache.asked.value,
        &writer
      )
    }
    writer.endArray()
  }

  /// What a cache enters the split with.
  private static func writeSteps(
    _ inputs: QuotaInputs,
    of name: String,
    to writer: inout JSONWriter
  ) {
    step("\(name): floor honoured at this level", inputs.floor.value, &writer)
    step(
      "\(name): askable, min(reclaimable, bytes - floor) less bytes in flight",
      inputs.askable.value,
      &writer
    )
    step("\(name): cap, askable x trust / 10000", inputs.cap.value, &writer)
    if let refill = inputs.refillMicrosecondsPerMiB {
      step("\(name): cost that the client measured, us per MiB", UInt64(refill), &writer)
    }
    step(
      "\(name): cost over the median within "
        + (inputs.isVouched ? "1/8...8" : "1/2...2, less what the ledger takes of it")
        + ", parts of 10000",
      UInt64(inputs.costBand.parts),
      &writer
    )
    step("\(name): weight, share x cost", inputs.weight, &writer)
  }

  private static func step(_ text: String, _ value: UInt64, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("text", text)
    writer.member("value", value)
    writer.endObject()
  }
}
