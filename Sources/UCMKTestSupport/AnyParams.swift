// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKProtocol

/// Reads the params of any method, as a session does after it has looked the method up.
///
/// - Throws: What the params type of the method throws.
package func anyParams(
  of method: Method,
  _ params: JSONValue?
) throws(RPCError) -> any MessageParams {
  switch method {
  case .hello: try Hello(params: params)
  case .cacheRegister: try CacheRegister(params: params)
  case .cacheUpdate: try CacheUpdate(params: params)
  case .cacheUnregister: try CacheUnregister(params: params)
  case .cacheReport: try CacheReport(params: params)
  case .purgeableSet: try PurgeableSet(params: params)
  case .limitGet: try LimitGet(params: params)
  case .ping: try Ping(params: params)
  case .bye: try Bye(params: params)
  case .cancel: try Cancel(params: params)
  case .shrink: try ShrinkRequest(params: params)
  case .limit: try Limit(params: params)
  case .relax: try Relax(params: params)
  case .notice: try Notice(params: params)
  case .shutdown: try Shutdown(params: params)
  case .event: try Event(params: params)
  case .daemonStatus: try DaemonStatus(params: params)
  case .clientList: try ClientList(params: params)
  case .clientGet: try ClientGet(params: params)
  case .roundList: try RoundList(params: params)
  case .roundGet: try RoundGet(params: params)
  case .plan: try Plan(params: params)
  case .trigger: try Trigger(params: params)
  case .subscribe: try Subscribe(params: params)
  case .unsubscribe: try Unsubscribe(params: params)
  case .daemonReload: try DaemonReload(params: params)
  case .daemonPause: try DaemonPause(params: params)
  case .daemonResume: try DaemonResume(params: params)
  case .cacheOverride: try CacheOverride(params: params)
  case .discover: try Discover(params: params)
  }
}
