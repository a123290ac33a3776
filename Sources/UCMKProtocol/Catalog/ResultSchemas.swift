// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The JSON Schema of the result of each method, in the short hand of `Schema`; nil for a
/// notification, which has none.
enum ResultSchemas {
  static func text(of method: Method) -> StaticString? {
    switch method {
    case .shrink: shrink
    case .cacheReport, .limit, .relax, .event, .cancel, .bye, .notice, .shutdown: nil
    case .ping: ping
    case .hello: hello
    case .cacheRegister: cacheRegister
    case .cacheUpdate, .unsubscribe, .cacheOverride: "@empty@"
    case .cacheUnregister: cacheUnregister
    case .limitGet: limitGet
    case .purgeableSet: purgeableSet
    case .daemonStatus: daemonStatus
    case .clientList: clientList
    case .clientGet: clientGet
    case .roundList: roundList
    case .roundGet: roundGet
    case .plan: plan
    case .trigger: trigger
    case .subscribe: subscribe
    case .daemonReload: daemonReload
    case .daemonPause: daemonPause
    case .daemonResume: daemonResume
    case .discover: discover
    }
  }

  private static let shrink: StaticString = """
    {"type":"object","required":["round","targets","took_ms"],"properties":{"round":@bytes@,\
    "targets":{"type":"array","maxItems":62,"items":{"type":"object","required":["id","freed",\
    "bytes","reclaimable"],"properties":{"id":@cacheID@,"freed":@bytes@,"bytes":@bytes@,\
    "reclaimable":@bytes@,"more":@bool@}}},"took_ms":@bytes@}}
    """

  private static let ping: StaticString = """
    {"type":"object","required":["monotonic_ns"],"properties":{"monotonic_ns":@clock@}}
    """

  private static let hello: StaticString = """
    {"type":"object","required":["protocol","session"],"properties":{"protocol":@version@,\
    "daemon":{"type":"object","properties":{"name":@text@,"version":@text@}},"session":@name@,\
    "resume_token":@text@,"resumed":@bool@,"heartbeat_ms":@bytes@,\
    "report_min_interval_ms":@bytes@,"limits":@limits@,"host":{"type":"object",\
    "properties":{"mem_total":@bytes@,"page_size":@bytes@,"psi":@bool@,"cgroup2":@bool@,\
    "swap_total":@bytes@}},"you":{"type":"object","properties":{"pid":@bytes@,"uid":@bytes@,\
    "gid":@bytes@,"cgroup":@textOrNull@,"roles":{"type":"array","items":{"type":"string",\
    "enum":["member","observer","admin"]}}}},"capabilities":@capabilities@}}
    """

  private static let cacheRegister: StaticString = """
    {"type":"object","required":["caches"],"properties":{"caches":{"type":"array",\
    "items":{"type":"object","required":["name","id"],"properties":{"name":@cacheName@,\
    "id":@cacheID@}}}}}
    """

  private static let cacheUnregister: StaticString = """
    {"type":"object","required":["removed"],"properties":{"removed":@bytes@}}
    """

  private static let limitGet: StaticString = """
    {"type":"object","required":["caches","level"],"properties":{"caches":{"type":"array",\
    "maxItems":62,"items":{"type":"object","required":["id","limit"],\
    "properties":{"id":@cacheID@,"limit":@bytesOrNull@}}},"level":@level@}}
    """

  private static let purgeableSet: StaticString = """
    {"type":"object","required":["ranges","bytes"],"properties":{"ranges":@bytes@,\
    "bytes":@bytes@}}
    """

  private static let daemonStatus: StaticString = """
    {"type":"object","properties":{"state":{"type":"string","enum":["idle","watching","round",\
    "hold","grow","paused","degraded"]},"level":@level@,"version":@text@,"protocol":@version@,\
    "uptime_ms":@bytes@,"psi":{"type":"object","properties":{"some":@stall@,"full":@stall@}},\
    "memory":{"type":"object","properties":{"total":@bytes@,"available":@bytes@,\
    "swap_free":@bytes@}},"domains":{"type":"array","items":{"type":"object",\
    "properties":{"scope":@scope@,"state":@text@,"level":@level@,"capacity":@bytes@,\
    "available":@bytes@,"low":@bytes@,"high":@bytes@,"grow":@bytes@,"exhausted":@bool@}}},\
    "triggers":{"type":"array","items":{"type":"object","properties":{"scope":@scope@,\
    "kind":{"type":"string","enum":["some","full"]},"stall_us":@bytes@,"window_us":@bytes@,\
    "source":{"type":"string","enum":["trigger","average","watch"]}}}},"counts":{"type":"object",\
    "properties":{"clients":@bytes@,"caches":@bytes@,"rounds":@bytes@,"timeouts":@bytes@,\
    "reports_dropped":@bytes@,"notifications_dropped":@bytes@}},"bytes":{"type":"object",\
    "properties":{"registered":@bytes@,"reclaimable":@bytes@,"asked":@bytes@,"claimed":@bytes@,\
    "measured":@bytes@}},"surfaces":{"type":"object","additionalProperties":@text@},\
    "last_round":@bytesOrNull@}}
    """

  private static let clientList: StaticString = """
    {"type":"object","required":["clients"],"properties":{"clients":{"type":"array",\
    "items":@client@},"next":@text@}}
    """

  private static let clientGet: StaticString = """
    {"type":"object","properties":{"session":@name@,"kind":{"type":"string","enum":["member",\
    "signal","pressure","adapter","upstream"]},"name":@text@,"pid":@bytes@,"uid":@bytes@,\
    "cgroup":@textOrNull@,"trust":@bytes@,"ledger":{"type":"integer"},"left_out":@bool@,\
    "keeps_memory":@bool@,"last_round":@bytesOrNull@,"caches":{"type":"array",\
    "items":@clientCache@},"history":{"type":"array","maxItems":32,"items":{"type":"object",\
    "properties":{"round":@bytes@,"asked":@bytes@,"claimed":@bytes@,"measured":@bytes@,\
    "took_ms":@bytes@,"outcome":@outcome@}}}}}
    """

  private static let roundList: StaticString = """
    {"type":"object","required":["rounds"],"properties":{"rounds":{"type":"array",\
    "items":{"type":"object","properties":{"round":@bytes@,"time_us":@bytes@,"scope":@scope@,\
    "level":@level@,"state":{"type":"string","enum":["open","closed"]},"reason":{"type":"string",\
    "enum":["trigger","watermark","manual","proactive","hibernate"]},"dry_run":@bool@,\
    "target":@bytes@,"capacity":@bytes@,"part":@bytes@,"asked":@bytes@,"claimed":@bytes@,\
    "measured":@bytes@,"unmet":@bytes@,"took_ms":@bytes@}}}}}
    """

  private static let roundGet: StaticString = """
    {"type":"object","properties":{"round":@bytes@,"time_us":@bytes@,"scope":@scope@,\
    "level":@level@,"state":{"type":"string","enum":["open","closed"]},"reason":{"type":"string",\
    "enum":["trigger","watermark","manual","proactive","hibernate"]},"dry_run":@bool@,\
    "target":@bytes@,"capacity":@bytes@,"part":@bytes@,"asked":@bytes@,"claimed":@bytes@,\
    "measured":@bytes@,"unmet":@bytes@,"took_ms":@bytes@,"clients":{"type":"array",\
    "items":{"type":"object","properties":{"session":@name@,"name":@text@,"pid":@bytes@,\
    "part":@bytes@,"asked":@bytes@,"claimed":@bytes@,"measured":@bytes@,"took_ms":@bytes@,\
    "outcome":@outcome@,"caches":{"type":"array","items":{"type":"object",\
    "properties":{"id":@cacheID@,"name":@text@,"part":@bytes@,"asked":@bytes@,\
    "claimed":@bytes@}}},"inputs":@empty@,"steps":@steps@}}},\
    "attempts":{"type":"array","items":@attempt@}}}
    """

  private static let plan: StaticString = """
    {"type":"object","properties":{"target":@bytes@,"capacity":@bytes@,"part":@bytes@,\
    "unmet":@bytes@,"level":@level@,"scope":@scope@,"clients":{"type":"array",\
    "items":{"type":"object","properties":{"session":@name@,"name":@text@,"pid":@bytes@,\
    "cgroup":@textOrNull@,"part":@bytes@,"asked":@bytes@,"caches":{"type":"array",\
    "items":{"type":"object","properties":{"id":@cacheID@,"name":@text@,"part":@bytes@,\
    "asked":@bytes@}}},"inputs":@empty@,"steps":@steps@}}},\
    "excluded":{"type":"array","items":{"type":"object","properties":{"session":@name@,\
    "name":@text@,"pid":@bytes@,"reason":{"type":"string",\
    "enum":["no-requests","refuses","breaker","level","nothing-left"]}}}}}}
    """

  private static let trigger: StaticString = """
    {"type":"object","required":["round"],"properties":{"round":@bytes@,"time_us":@bytes@,\
    "scope":@scope@,"level":@level@,"state":{"type":"string","enum":["open","closed"]},\
    "reason":{"type":"string","enum":["trigger","watermark","manual","proactive","hibernate"]},\
    "dry_run":@bool@,"target":@bytes@,"capacity":@bytes@,"part":@bytes@,"asked":@bytes@,\
    "claimed":@bytes@,"measured":@bytes@,"unmet":@bytes@,"took_ms":@bytes@,\
    "clients":{"type":"array","items":{"type":"object","properties":{"session":@name@,\
    "name":@text@,"pid":@bytes@,"part":@bytes@,"asked":@bytes@,"claimed":@bytes@,\
    "measured":@bytes@,"took_ms":@bytes@,"outcome":@outcome@,"caches":{"type":"array",\
    "items":{"type":"object","properties":{"id":@cacheID@,"name":@text@,"part":@bytes@,\
    "asked":@bytes@,"claimed":@bytes@}}}}}}}}
    """

  private static let subscribe: StaticString = """
    {"type":"object","required":["subscription"],"properties":{"subscription":@positive@}}
    """

  private static let daemonReload: StaticString = """
    {"type":"object","properties":{"changed":{"type":"array","items":@text@},\
    "errors":{"type":"array","items":{"type":"object","properties":{"file":@text@,"line":@bytes@,\
    "column":@bytes@,"text":@text@}}}}}
    """

  private static let daemonPause: StaticString = """
    {"type":"object","properties":{"state":@text@}}
    """

  private static let daemonResume: StaticString = """
    {"type":"object","properties":{"state":@text@}}
    """

  private static let discover: StaticString = """
    {"type":"object","properties":{"version":@version@,"methods":{"type":"array",\
    "items":{"type":"object","properties":{"name":@text@,"direction":{"type":"string",\
    "enum":["client-to-daemon","daemon-to-client","both"]},"role":{"type":"string",\
    "enum":["member","observer","admin"]},"params":@empty@,"result":{"type":["object",\
    "null"]}}}}}}
    """
}
