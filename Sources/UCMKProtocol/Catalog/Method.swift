// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Every method of the protocol: what a session switches over.
///
/// The order is that of how often a method is on the way, because a name is looked up in it.
public enum Method: UInt8, Sendable, Hashable, CaseIterable {
  // Names as on the wire; what each does stands in `docs/PROTOCOL.md` §5 to §7.
  case shrink, cacheReport, ping, limit, relax, event, cancel
  case hello, cacheRegister, cacheUpdate, cacheUnregister, limitGet, bye, purgeableSet
  case notice, shutdown
  case daemonStatus, clientList, clientGet, roundList, roundGet, plan, trigger
  case subscribe, unsubscribe, daemonReload, daemonPause, daemonResume, cacheOverride, discover

  /// The name on the wire.
  public var name: StaticString {
    switch self {
    case .shrink: "shrink"
    case .cacheReport: "cache.report"
    case .ping: "ping"
    case .limit: "limit"
    case .relax: "relax"
    case .event: "event"
    case .cancel: "$/cancel"
    case .hello: "hello"
    case .cacheRegister: "cache.register"
    case .cacheUpdate: "cache.update"
    case .cacheUnregister: "cache.unregister"
    case .limitGet: "limit.get"
    case .bye: "bye"
    case .purgeableSet: "purgeable.set"
    case .notice: "notice"
    case .shutdown: "shutdown"
    case .daemonStatus: "daemon.status"
    case .clientList: "client.list"
    case .clientGet: "client.get"
    case .roundList: "round.list"
    case .roundGet: "round.get"
    case .plan: "plan"
    case .trigger: "trigger"
    case .subscribe: "subscribe"
    case .unsubscribe: "unsubscribe"
    case .daemonReload: "daemon.reload"
    case .daemonPause: "daemon.pause"
    case .daemonResume: "daemon.resume"
    case .cacheOverride: "cache.override"
    case .discover: "rpc.discover"
    }
  }

  /// The method that `name` names, or nil where it is none of ours; takes no memory.
  public init?(_ name: JSONValue) {
    var number: UInt8 = 0
    while let method = Method(rawValue: number) {
      if name.stringEquals(method.name) {
        self = method
        return
      }
      number += 1
    }
    return nil
  }
}
