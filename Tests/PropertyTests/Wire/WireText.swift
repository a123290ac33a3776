// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel
import UCMKProtocol

@testable import UCMKCore

/// Lines whose numbers lie at, between and beyond the ends of what the wire carries.
enum WireText {
  /// A number that the wire carries.
  static func count(_ random: inout CoreRandom) -> UInt64 {
    random.pick([
      0, 1, 4_095, 4_096, 1 << 20, 1 << 30, (1 << 53) - 2, (1 << 53) - 1,
      random.next() >> (11 + random.number(below: 50)),
    ])
  }

  /// A number, or what looks like one.
  static func number(_ random: inout CoreRandom) -> String {
    guard random.chance(5) else { return "\(count(&random))" }
    return random.pick([
      "-1", "1.5", "1e3", "9007199254740992", "9223372036854775808", "18446744073709551615",
      "99999999999999999999", "null", "\"1\"",
    ])
  }

  static func usage(_ random: inout CoreRandom) -> String {
    let bytes = count(&random)
    let reclaimable = random.chance(80) ? "\(bytes)" : number(&random)
    return "\"bytes\":\(bytes),\"reclaimable\":\(reclaimable)"
  }

  /// The fields that a declaration and a change of one have in common.
  static func fields(_ random: inout CoreRandom) -> String {
    let share = random.pick(["1", "100", "50", "0", "101"])
    let cost = random.pick(["0", "1", "10000", "1000000000", "1000000001"])
    let level = random.pick(["low", "medium", "critical", "none"])
    return "\"share\":\(share),\"floor\":\(number(&random)),\"ceiling\":\(number(&random)),"
      + "\"cost_us_per_mib\":\(cost),\"min_level\":\"\(level)\","
      + "\"release\":\"\(random.pick(["sync", "gc", "slow"]))\",\"usage\":{\(usage(&random))}"
  }

  static func register(_ random: inout CoreRandom) -> String {
    let names = (0...random.number(below: 3)).map { _ in "c\(random.number(below: 1 << 30))" }
    let caches = names.map { "{\"name\":\"\($0)\",\(fields(&random))}" }
    return "{\"caches\":[\(caches.joined(separator: ","))]}"
  }

  static func trigger(_ random: inout CoreRandom) -> String {
    let scope = random.pick([
      "{\"kind\":\"manual\"}", "{\"kind\":\"host\"}", "{\"kind\":\"cgroup\",\"path\":\"/a\"}",
      "{\"kind\":\"cgroup\",\"path\":\"/nobody\"}",
    ])
    let level = random.pick(["low", "medium", "critical"])
    return "{\"bytes\":\(number(&random)),\"level\":\"\(level)\",\"scope\":\(scope),"
      + "\"dry_run\":\(random.chance(20))}"
  }

  static func reply(
    to order: ShrinkOrder,
    _ targets: [ShrinkTarget],
    _ random: inout CoreRandom
  ) -> String {
    var texts: [String] = []
    for target in targets where random.chance(90) {
      let freed = random.chance(60) ? "\(target.bytes.value)" : number(&random)
      let id = random.chance(95) ? UInt64(target.cache.number) : 1 + random.number(below: 9)
      texts.append(
        "{\"id\":\(id),\"freed\":\(freed),\(usage(&random)),\"more\":\(random.chance(40))}"
      )
    }
    return "{\"round\":\(order.round.number),\"targets\":[\(texts.joined(separator: ","))],"
      + "\"took_ms\":\(number(&random))}"
  }

  /// A result as the daemon reads it, or nil where it does not.
  static func read(_ bytes: [UInt8]) -> ShrinkReply? {
    let head = [UInt8]("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":".utf8)
    let line = head + bytes + [UInt8(ascii: "}")]
    do throws(RPCFault) {
      guard case .response(_, .result(let result)) = try IncomingMessage(line, in: 0..<line.count)
      else { return nil }
      do throws(RPCError) { return try ShrinkReply(result: result) } catch { return nil }
    } catch { return nil }
  }
}
