// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// Writes clients as `docs/PROTOCOL.md` §7 shows them.
enum ClientRender {
  /// The Client object; with `history` also its last rounds.
  static func write(
    _ client: ClientView,
    history: [HistoryEntry]?,
    to writer: inout JSONWriter
  ) {
    writer.beginObject()
    writer.member("session", client.client.name)
    writer.member("kind", "member" as StaticString)
    writer.member("name", client.facts.name)
    writer.member("pid", signed: Int64(client.facts.process.number))
    writer.member("uid", UInt64(client.facts.user))
    writer.member("cgroup", orNull: client.facts.cgroup)
    writer.member("trust", UInt64(client.trust.parts))
    writer.member("ledger", signed: client.ledger)
    writer.member("left_out", client.isLeftOut)
    writer.member("keeps_memory", client.keepsMemory)
    writer.member("last_round", round: client.lastRound)
    writer.key("caches")
    writer.beginArray()
    for cache in client.caches { write(cache, to: &writer) }
    writer.endArray()
    if let history { write(history, to: &writer) }
    writer.endObject()
  }

  /// Labels are left out behind this many bytes of a line.
  ///
  /// 62 caches whose labels are all control characters, which take six bytes each, would need
  /// 300 KB; without labels a cache takes at most 500 B.
  private static let labelBytes = 192 << 10

  private static func write(_ cache: CacheView, to writer: inout JSONWriter) {
    let declaration = cache.declaration
    writer.beginObject()
    writer.member("id", UInt64(cache.id.number))
    writer.member("name", declaration.name)
    writer.member("bytes", declaration.usage.bytes)
    writer.member("reclaimable", declaration.usage.reclaimable)
    writer.member("floor", cache.floor)
    writer.member("share", UInt64(cache.share))
    writer.member("cost_us_per_mib", UInt64(declaration.costMicrosecondsPerMiB))
    writer.member("min_level", cache.minimumLevel)
    writer.member("limit", orNull: cache.limit)
    writer.member("release", declaration.release.name)
    writer.member("ceiling", orNull: declaration.ceiling)
    if let cold = declaration.usage.cold { writer.member("cold", cold) }
    if let refill = declaration.usage.refillMicrosecondsPerMiB {
      writer.member("refill_us_per_mib", UInt64(refill))
    }
    if let entries = declaration.usage.entries { writer.member("entries", entries) }
    if let hits = declaration.usage.hits { writer.member("hits", hits) }
    if let misses = declaration.usage.misses { writer.member("misses", misses) }
    // People can do without labels, a line cannot be longer than the protocol says.
    if !declaration.labels.isEmpty, writer.count < labelBytes {
      writer.key("labels")
      writer.beginObject()
      for label in declaration.labels {
        writer.key(label.key)
        writer.string(label.value)
      }
      writer.endObject()
    }
    writer.endObject()
  }

  private static func write(_ history: [HistoryEntry], to writer: inout JSONWriter) {
    writer.key("history")
    writer.beginArray()
    for entry in history {
      writer.beginObject()
      writer.member("round", round: entry.round)
      writer.member("asked", entry.asked)
      writer.member("claimed", entry.claimed)
      writer.member("measured", entry.measured)
      writer.member("took_ms", milliseconds: entry.took)
      writer.member("outcome", entry.outcome.name)
      writer.endObject()
    }
    writer.endArray()
  }
}
