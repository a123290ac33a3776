// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("cache handlers")
struct CacheHandlerTests {
  private func open() throws -> (DaemonStage, WireClient) {
    let stage = try DaemonStage()
    let client = try stage.connect()
    client.hello()
    return (stage, client)
  }

  @Test("registering gives ids that rise, and what was declared is what is shown")
  func register() throws {
    let (stage, client) = try open()
    let answer = client.call(
      "cache.register",
      #"{"caches":[{"name":"thumbs","share":50,"floor":8388608,"ceiling":1073741824,"#
        + #""cost_us_per_mib":2000,"min_level":"medium","release":"gc","labels":{"k":"v"},"#
        + #""usage":{"bytes":536870912,"reclaimable":528482304,"entries":3,"hits":2,"misses":1}},"#
        + #"{"name":"b"}]}"#
    )
    #expect(
      answer["result"] == ["caches": [["name": "thumbs", "id": 1], ["name": "b", "id": 2]]]
    )
    let shown = client.call("client.get", #"{"session":"c1"}"#)["result"]
    let cache = shown["caches"][0]
    #expect(cache["name"] == "thumbs")
    #expect(cache["bytes"] == 536_870_912)
    #expect(cache["reclaimable"] == 528_482_304)
    #expect(cache["share"] == 50)
    #expect(cache["floor"] == 8_388_608)
    #expect(cache["ceiling"] == 1_073_741_824)
    #expect(cache["cost_us_per_mib"] == 2_000)
    #expect(cache["min_level"] == "medium")
    #expect(cache["release"] == "gc")
    #expect(cache["labels"] == ["k": "v"])
    #expect(cache["limit"] == .null)
    #expect(shown["caches"][1]["cost_us_per_mib"] == 10_000)
    #expect(shown["caches"][1]["share"] == 100)
    withExtendedLifetime(stage) {}
  }

  @Test(
    "a wrong item is refused with its path, and nothing of the request is taken",
    arguments: [
      (#"{}"#, -32_602, "caches"),
      (#"{"caches":[]}"#, -32_602, "caches"),
      (#"{"caches":{}}"#, -32_602, "caches"),
      (#"{"caches":[{"name":"ok"},{}]}"#, -32_602, "caches[1].name"),
      (#"{"caches":[{"name":"Upper"}]}"#, -32_602, "caches[0].name"),
      (#"{"caches":[{"name":".dot"}]}"#, -32_602, "caches[0].name"),
      (#"{"caches":[{"name":""}]}"#, -32_602, "caches[0].name"),
      (#"{"caches":[{"name":"x","share":0}]}"#, -32_602, "caches[0].share"),
      (#"{"caches":[{"name":"x","share":101}]}"#, -32_602, "caches[0].share"),
      (#"{"caches":[{"name":"x","share":"50"}]}"#, -32_602, "caches[0].share"),
      (#"{"caches":[{"name":"x","share":5e1}]}"#, -32_602, "caches[0].share"),
      (#"{"caches":[{"name":"x","floor":-1}]}"#, -32_602, "caches[0].floor"),
      (#"{"caches":[{"name":"x","floor":9007199254740992}]}"#, -32_602, "caches[0].floor"),
      (
        #"{"caches":[{"name":"x","cost_us_per_mib":1000000001}]}"#, -32_602,
        "caches[0].cost_us_per_mib"
      ),
      (#"{"caches":[{"name":"x","min_level":"none"}]}"#, -32_602, "caches[0].min_level"),
      (#"{"caches":[{"name":"x","min_level":"loud"}]}"#, -32_602, "caches[0].min_level"),
      (#"{"caches":[{"name":"x","release":"later"}]}"#, -32_602, "caches[0].release"),
      (
        #"{"caches":[{"name":"x","usage":{"bytes":1,"reclaimable":2}}]}"#, -32_602,
        "caches[0].usage.reclaimable"
      ),
      (
        #"{"caches":[{"name":"x","usage":{"bytes":1.0,"reclaimable":1}}]}"#, -32_602,
        "caches[0].usage.bytes"
      ),
      (#"{"caches":[{"name":"x","labels":{"a":1}}]}"#, -32_602, "caches[0].labels"),
    ]
  )
  func wrongItem(params: String, code: Int, path: String) throws {
    let (stage, client) = try open()
    let answer = client.call("cache.register", params)
    #expect(answer.code == code)
    #expect(answer.data["path"] == .text(path))
    #expect(client.call("limit.get")["result"]["caches"] == [])
    withExtendedLifetime(stage) {}
  }

  @Test("a name is unique on the connection: in one request, and over all")
  func names() throws {
    let (stage, client) = try open()
    let same = client.call("cache.register", #"{"caches":[{"name":"a"},{"name":"a"}]}"#)
    #expect(same.code == -32_003)
    #expect(same.data == ["name": "a"])
    client.register("a", bytes: 1)
    let again = client.call("cache.register", #"{"caches":[{"name":"b"},{"name":"a"}]}"#)
    #expect(again.code == -32_003)
    #expect(client.register("b", bytes: 1) == 2)
    let other = try stage.connect()
    other.hello()
    #expect(other.register("a", bytes: 1) == 1)
  }

  @Test("62 caches: more in one request are wrong params, more in all are one too many")
  func count() throws {
    let (stage, client) = try open()
    func items(_ count: Int, _ prefix: String) -> String {
      let rows = (0..<count).map { #"{"name":"\#(prefix)\#($0)"}"# }
      return #"{"caches":[\#(rows.joined(separator: ","))]}"#
    }
    let many = client.call("cache.register", items(63, "a"))
    #expect(many.code == -32_602)
    #expect(many.data["path"] == "caches")
    #expect(client.call("cache.register", items(60, "a"))["result"]["caches"].elements.count == 60)
    let sum = client.call("cache.register", items(3, "b"))
    #expect(sum.code == -32_005)
    #expect(sum.data == ["limit": "caches", "max": 62])
    #expect(client.call("cache.register", items(2, "b"))["result"]["caches"].elements.count == 2)
    let gone = client.call("cache.unregister", #"{"ids":[1,2,2,99]}"#)
    #expect(gone["result"] == ["removed": 2])
    #expect(client.register("c", bytes: 1) == 63)
    withExtendedLifetime(stage) {}
  }

  @Test("an update changes what it names and nothing else")
  func update() throws {
    let (stage, client) = try open()
    let id = client.register("a", bytes: 100 << 20, reclaimable: 50 << 20, #","share":40"#)
    #expect(
      client.call("cache.update", #"{"id":\#(id),"floor":4096,"name":"ignored"}"#)["result"] == [:]
    )
    let cache = client.call("client.get", #"{"session":"c1"}"#)["result"]["caches"][0]
    #expect(cache["name"] == "a")
    #expect(cache["share"] == 40)
    #expect(cache["floor"] == 4_096)
    #expect(cache["bytes"] == 104_857_600)
    let unknown = client.call("cache.update", #"{"id":9,"floor":1}"#)
    #expect(unknown.code == -32_004)
    #expect(unknown.data == ["id": 9])
    #expect(client.call("cache.update", #"{"id":\#(id),"share":0}"#).data["path"] == "share")
    #expect(client.call("cache.update", #"{"floor":0}"#).data["path"] == "id")
    let usage = #"{"id":\#(id),"usage":{"bytes":7,"reclaimable":6}}"#
    #expect(client.call("cache.update", usage)["result"] == [:])
    let now = client.call("client.get", #"{"session":"c1"}"#)["result"]["caches"][0]
    #expect(now["bytes"] == 7)
    #expect(now["reclaimable"] == 6)
    withExtendedLifetime(stage) {}
  }

  @Test("cold bytes and the refill cost are shown where they were told, and only there")
  func measuredByClient() throws {
    let (stage, client) = try open()
    let usage = #""usage":{"bytes":90,"reclaimable":50,"cold":60,"refill_us_per_mib":7}"#
    let told = client.call("cache.register", #"{"caches":[{"name":"a",\#(usage)},{"name":"b"}]}"#)
    #expect(told["result"]["caches"].elements.count == 2)
    func caches() -> WireValue {
      client.call("client.get", #"{"session":"c1"}"#)["result"]["caches"]
    }
    #expect(caches()[0]["cold"] == 50)
    #expect(caches()[0]["refill_us_per_mib"] == 7)
    #expect(caches()[0]["cost_us_per_mib"] == 10_000)
    #expect(caches()[1]["cold"] == .absent)
    #expect(caches()[1]["refill_us_per_mib"] == .absent)
    client.notify("cache.report", #"{"caches":[{"id":1,"bytes":90,"reclaimable":50,"cold":9}]}"#)
    #expect(caches()[0]["cold"] == 9)
    #expect(caches()[0]["refill_us_per_mib"] == .absent)
    let plan = try stage.control().call("plan", #"{"bytes":4096}"#)["result"]
    let input = plan["clients"][0]["inputs"]["caches"][0]
    #expect(input["cold"] == 9)
    #expect(input["refill_us_per_mib"] == .null)
    #expect(input["vouched"] == false)
    withExtendedLifetime(stage) {}
  }

  @Test("another connection's caches cannot be touched")
  func strangers() throws {
    let (stage, client) = try open()
    let id = client.register("a", bytes: 1 << 20)
    let other = try stage.connect()
    other.hello()
    #expect(other.call("cache.update", #"{"id":\#(id),"floor":1}"#).code == -32_004)
    #expect(other.call("cache.unregister", #"{"ids":[\#(id)]}"#)["result"] == ["removed": 0])
    other.notify("cache.report", #"{"caches":[{"id":\#(id),"bytes":9,"reclaimable":9}]}"#)
    #expect(client.call("daemon.status")["result"]["bytes"]["registered"] == 1_048_576)
  }

  @Test("reports count; ten a second with a burst of twenty, the surplus is counted")
  func reports() throws {
    let (stage, client) = try open()
    let id = client.register("a", bytes: 1)
    for bytes in 1...30 {
      client.notify(
        "cache.report",
        #"{"caches":[{"id":\#(id),"bytes":\#(bytes),"reclaimable":0}]}"#
      )
    }
    let status = client.call("daemon.status")["result"]
    #expect(status["bytes"]["registered"] == 20)
    #expect(status["counts"]["reports_dropped"] == 10)
    stage.advance(.milliseconds(100))
    client.notify("cache.report", #"{"caches":[{"id":\#(id),"bytes":77,"reclaimable":77}]}"#)
    client.notify("cache.report", #"{"caches":[{"id":\#(id),"bytes":88,"reclaimable":88}]}"#)
    let later = client.call("daemon.status")["result"]
    #expect(
      later["bytes"] == [
        "registered": 77, "reclaimable": 77, "asked": 0, "claimed": 0, "measured": 0,
      ]
    )
    #expect(later["counts"]["reports_dropped"] == 11)
  }

  @Test(
    "a wrong report is dropped as a whole and never answered",
    arguments: [
      #"{"caches":[{"id":1,"bytes":5,"reclaimable":6}]}"#,
      #"{"caches":[{"id":1,"bytes":5,"reclaimable":5},{"id":1}]}"#,
      #"{"caches":[{"id":99,"bytes":5,"reclaimable":5}]}"#,
      #"{"caches":[{"id":1,"bytes":-5,"reclaimable":0}]}"#,
      #"{"caches":[]}"#, #"{}"#, #"{"caches":7}"#,
    ]
  )
  func wrongReport(params: String) throws {
    let (stage, client) = try open()
    client.register("a", bytes: 9)
    client.notify("cache.report", params)
    client.send(#"{"jsonrpc":"2.0","method":"cache.report","params":[1]}"#)
    client.send(#"{"jsonrpc":"1.0","method":"cache.report"}"#)
    #expect(client.drain().isEmpty)
    #expect(client.call("daemon.status")["result"]["bytes"]["registered"] == 9)
    withExtendedLifetime(stage) {}
  }

  @Test("limit.get lists every cache, and the level")
  func limits() throws {
    let (stage, client) = try open()
    #expect(client.call("limit.get")["result"] == ["caches": [], "level": "none"])
    client.register("a", bytes: 9)
    client.register("b", bytes: 9)
    #expect(
      client.call("limit.get")["result"]
        == ["caches": [["id": 1, "limit": .null], ["id": 2, "limit": .null]], "level": "none"]
    )
    withExtendedLifetime(stage) {}
  }

  @Test("purgeable ranges come later")
  func purgeable() throws {
    let (stage, client) = try open()
    let answer = client.call("purgeable.set", #"{"seq":1}"#)
    #expect(answer.code == -32_011)
    #expect(answer.data == ["feature": "purgeable"])
    withExtendedLifetime(stage) {}
  }

  @Test("what the administrator grants multiplies what the client claims")
  func rules() throws {
    var settings = Settings()
    settings.rules = [
      ClientRule(match: .unit("redis.service"), share: 500, floor: .mebibytes(256)),
      ClientRule(match: .name("*"), share: 10),
    ]
    let stage = try DaemonStage(settings)
    stage.process(7, resident: 1, cgroup: "/system.slice/redis.service")
    let redis = try stage.connect(pid: 7)
    redis.hello("redis")
    redis.register("a", bytes: 1 << 20, #","share":50"#)
    let other = try stage.connect(pid: 8)
    other.hello("other")
    other.register("a", bytes: 1 << 20)
    let shown = try stage.control().call("client.list")["result"]["clients"]
    #expect(shown[0]["caches"][0]["share"] == 250)
    #expect(shown[1]["caches"][0]["share"] == 10)
  }
}
