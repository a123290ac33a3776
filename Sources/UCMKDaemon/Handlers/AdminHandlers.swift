// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKProtocol
import UCMKSystemd

/// What administrators do (`docs/PROTOCOL.md` §7).
extension Daemon {
  func reload(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    try require(.admin, session)
    let request = try DaemonReload(params: params)
    let (changed, problems) = reload(checksOnly: request.checksOnly)
    answer(session, id) { writer in
      writer.beginObject()
      writer.key("changed")
      writer.beginArray()
      for key in changed where writer.count < Daemon.listBytes / 2 { writer.string(key) }
      writer.endArray()
      writer.key("errors")
      writer.beginArray()
      for problem in problems.prefix(Daemon.problemsShown) where writer.count < Daemon.listBytes {
        writer.beginObject()
        writer.member("file", problem.file)
        writer.member("line", count: problem.line)
        writer.member("column", count: problem.column)
        writer.member("text", problem.text)
        writer.endObject()
      }
      writer.endArray()
      writer.endObject()
    }
  }

  /// Mistakes that one answer lists; a file with more has other troubles.
  static let problemsShown = 256

  /// Reads the settings again; a bad file changes nothing.
  @discardableResult
  package func reload(checksOnly: Bool) -> (changed: [String], problems: [SettingsProblem]) {
    switch surroundings.loadSettings() {
    case .invalid(let problems):
      for problem in problems.prefix(Daemon.problemsShown) {
        log(.error, "settings are wrong; the old ones stay", [("place", problem.description)])
      }
      return ([], problems)
    case .valid(let loaded):
      let changed = loaded.changes(since: settings)
      guard !checksOnly else { return (changed, []) }
      settings = loaded
      limits = Daemon.limits(of: loaded)
      forgetAbsences()
      submit(.configured(loaded.configuration))
      relocateClients(force: true)
      notice(.reload)
      log(.notice, "settings read again", [("changed", changed.joined(separator: " "))])
      return (changed, [])
    }
  }

  /// Tells every session with a cache what became of the daemon.
  func notice(_ kind: Notice.Kind) {
    sessions.forEach { session in
      guard session.phase == .open, !session.caches.isEmpty else { return }
      writer.removeAll()
      Notice(kind: kind).writeNotification(to: &writer)
      deliver(to: session, .notification)
    }
  }

  func pause(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    try require(.admin, session)
    let request = try DaemonPause(params: params)
    submit(.paused(until: request.span.map { now + $0 }))
    tellState(id, session)
  }

  func resume(_ id: RequestID, _ session: Session) throws(RPCError) {
    try require(.admin, session)
    submit(.resumed)
    tellState(id, session)
  }

  private func tellState(_ id: RequestID, _ session: Session) {
    let state = StatusRender.state(of: broker, isDegraded: isDegraded)
    answer(session, id) { writer in
      writer.beginObject()
      writer.member("state", state)
      writer.endObject()
    }
  }

  func overrideCache(
    _ params: JSONValue?,
    _ id: RequestID,
    _ session: Session
  ) throws(RPCError) {
    try require(.admin, session)
    let request = try UCMKProtocol.CacheOverride(params: params)
    guard let number = ClientID(name: request.session), let client = broker.client(number) else {
      throw RPCError.unknownID(.string(request.session))
    }
    guard client.caches.contains(where: { $0.id == request.id }) else {
      throw RPCError.unknownID(.integer(UInt64(request.id.number)))
    }
    submit(
      .overridden(
        number,
        request.id,
        CacheOverride(
          share: request.share,
          floor: request.floor,
          minimumLevel: request.minimumLevel,
          until: request.span.map { now + $0 }
        )
      )
    )
    answerDone(session, id)
    if let changed = sessions.session(of: number) { publishClient(changed, change: "changed") }
  }
}
