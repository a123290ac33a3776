// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The JSON Schema of the params of each method, in the short hand of `Schema`.
enum ParamSchemas {
  static func text(of method: Method) -> StaticString {
    switch method {
    case .shrink: shrink
    case .cacheReport: cacheReport
    case .ping, .limitGet, .daemonStatus, .daemonResume, .discover: "@empty@"
    case .limit: limit
    case .relax: relax
    case .event: event
    case .cancel: cancel
    case .hello: hello
    case .cacheRegister: cacheRegister
    case .cacheUpdate: cacheUpdate
    case .cacheUnregister: cacheUnregister
    case .bye: bye
    case .purgeableSet: purgeableSet
    case .notice: notice
    case .shutdown: shutdown
    case .clientList: clientList
    case .clientGet: clientGet
    case .roundList: roundList
    case .roundGet: roundGet
    case .plan: plan
    case .trigger: trigger
    case .subscribe: subscribe
    case .unsubscribe: unsubscribe
    case .daemonReload: daemonReload
    case .daemonPause: daemonPause
    case .cacheOverride: cacheOverride
    }
  }

  private static let shrink: StaticString = """
    {"type":"object","required":["round","attempt","level","scope","deadline_ms","targets"],\
    "properties":{"round":@bytes@,"attempt":{"type":"integer","minimum":1,"maximum":5},\
    "level":@level@,"scope":@scope@,"deadline_ms":@deadline@,"targets":{"type":"array",\
    "minItems":1,"maxItems":62,"items":{"type":"object","required":["id","bytes"],\
    "properties":{"id":@cacheID@,"bytes":@positive@,"limit":@bytes@}}},"trim":@bool@,\
    "dry_run":@bool@}}
    """

  private static let cacheReport: StaticString = """
    {"type":"object","required":["caches"],"properties":{"caches":{"type":"array","minItems":1,\
    "maxItems":62,"items":{"type":"object","required":["id","bytes","reclaimable"],\
    "properties":{"id":@cacheID@,"bytes":@bytes@,"reclaimable":@bytes@,"cold":@bytes@,\
    "refill_us_per_mib":@cost@,"entries":@bytes@,"hits":@bytes@,"misses":@bytes@}}}}}
    """

  private static let limit: StaticString = """
    {"type":"object","required":["caches"],"properties":{"caches":{"type":"array","maxItems":62,\
    "items":{"type":"object","required":["id","limit"],"properties":{"id":@cacheID@,\
    "limit":@bytesOrNull@}}}}}
    """

  private static let relax: StaticString = """
    {"type":"object","required":["round","level"],"properties":{"round":@bytes@,"level":@level@,\
    "caches":{"type":"array","maxItems":62,"items":{"type":"object","required":["id","limit"],\
    "properties":{"id":@cacheID@,"limit":@bytesOrNull@}}}}}
    """

  private static let event: StaticString = """
    {"type":"object","required":["subscription","topic","monotonic_ns","dropped","data"],\
    "properties":{"subscription":@positive@,"topic":@topic@,"monotonic_ns":@clock@,\
    "dropped":@bytes@,"data":@any@}}
    """

  private static let cancel: StaticString = """
    {"type":"object","required":["id"],"properties":{"id":@requestID@}}
    """

  private static let hello: StaticString = """
    {"type":"object","required":["protocol","client"],"properties":{"protocol":{"type":"object",\
    "required":["min","max"],"properties":{"min":@version@,"max":@version@}},\
    "client":{"type":"object","required":["name"],"properties":{"name":@name@,\
    "version":@shortText@,"lang":@shortText@,"instance":@shortText@}},\
    "capabilities":@capabilities@,"role":{"type":"string","enum":["member","control"]},\
    "resume":@text@}}
    """

  private static let cacheRegister: StaticString = """
    {"type":"object","required":["caches"],"properties":{"caches":{"type":"array","minItems":1,\
    "maxItems":62,"items":{"type":"object","required":["name"],"properties":{"name":@cacheName@,\
    "share":@share@,"floor":@bytes@,"ceiling":@bytesOrNull@,"cost_us_per_mib":@cost@,\
    "min_level":@askingLevel@,"release":@release@,"labels":@labels@,"usage":@usage@}}}}}
    """

  private static let cacheUpdate: StaticString = """
    {"type":"object","required":["id"],"properties":{"id":@cacheID@,"share":@share@,\
    "floor":@bytes@,"ceiling":@bytesOrNull@,"cost_us_per_mib":@cost@,"min_level":@askingLevel@,\
    "release":@release@,"labels":@labels@,"usage":@usage@}}
    """

  private static let cacheUnregister: StaticString = """
    {"type":"object","required":["ids"],"properties":{"ids":{"type":"array","maxItems":62,\
    "items":@cacheID@}}}
    """

  private static let bye: StaticString = """
    {"type":"object","properties":{"reason":@shortText@}}
    """

  private static let purgeableSet: StaticString = """
    {"type":"object","required":["seq"],"properties":{"seq":@bytes@,"add":@ranges@,\
    "remove":@ranges@}}
    """

  private static let notice: StaticString = """
    {"type":"object","required":["kind"],"properties":{"kind":{"type":"string","enum":["reload",\
    "paused","resumed","overloaded"]},"text":@text@}}
    """

  private static let shutdown: StaticString = """
    {"type":"object","required":["reconnect_after_ms"],\
    "properties":{"reconnect_after_ms":@bytes@}}
    """

  private static let clientList: StaticString = """
    {"type":"object","properties":{"cursor":@shortText@,"limit":{"type":"integer","minimum":1,\
    "maximum":500},"filter":{"type":"object","properties":{"uid":{"type":"integer","minimum":0,\
    "maximum":4294967295},"cgroup":@text@,"name":@name@}}}}
    """

  private static let clientGet: StaticString = """
    {"type":"object","required":["session"],"properties":{"session":@name@}}
    """

  private static let roundList: StaticString = """
    {"type":"object","properties":{"limit":{"type":"integer","minimum":1,"maximum":256}}}
    """

  private static let roundGet: StaticString = """
    {"type":"object","required":["round"],"properties":{"round":@bytes@}}
    """

  private static let plan: StaticString = """
    {"type":"object","required":["bytes"],"properties":{"bytes":@bytes@,"level":@askingLevel@,\
    "scope":@scope@}}
    """

  private static let trigger: StaticString = """
    {"type":"object","properties":{"bytes":@bytes@,"level":@askingLevel@,"scope":@scope@,\
    "dry_run":@bool@,"wait":@bool@,"timeout_ms":@deadline@}}
    """

  private static let subscribe: StaticString = """
    {"type":"object","required":["topics"],"properties":{"topics":{"type":"array","minItems":1,\
    "maxItems":62,"items":@topic@},"interval_ms":{"type":"integer","minimum":100,\
    "maximum":60000}}}
    """

  private static let unsubscribe: StaticString = """
    {"type":"object","required":["subscription"],"properties":{"subscription":@positive@}}
    """

  private static let daemonReload: StaticString = """
    {"type":"object","properties":{"check_only":@bool@}}
    """

  private static let daemonPause: StaticString = """
    {"type":"object","properties":{"for_ms":@positive@}}
    """

  private static let cacheOverride: StaticString = """
    {"type":"object","required":["session","id"],"properties":{"session":@name@,"id":@cacheID@,\
    "share":{"type":"integer","minimum":1,"maximum":10000},"floor":@bytes@,\
    "min_level":@askingLevel@,"for_ms":@positive@}}
    """
}
