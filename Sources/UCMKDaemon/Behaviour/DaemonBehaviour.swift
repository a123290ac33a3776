// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKSystemd

/// What is remembered of programs: told to the core when one joins, kept when it leaves, and
/// written down so that a restart of the daemon forgives nothing.
extension Daemon {
  /// How often the state file is written at most.
  static let behaviourPeriod = TimeSpan.seconds(60)
  /// Bytes of a path that tell a program from others; the end of it says more than the beginning.
  private static let pathBytes = 256

  /// Reads the state file; one that cannot be used is told once and ignored.
  func recallBehaviour() {
    guard let store = surroundings.behaviour else { return }
    do throws(SystemError) {
      guard let bytes = try store.read() else { return }
      do throws(BehaviourText.Fault) {
        let entries = try BehaviourText.read(bytes, at: surroundings.wallMicroseconds())
        for entry in entries { remembered.note(entry.memory, of: entry.key) }
        savedBehaviour = remembered.entries
      } catch {
        log(.warning, "what clients did is forgotten", [("reason", error.reason)])
      }
    } catch {
      log(.warning, "what clients did is forgotten", [("reason", error.description)])
    }
  }

  /// Tells the core what is remembered of a client that just joined.
  ///
  /// One that came back has its account still.
  func recallBehaviour(of session: Session, _ facts: ClientFacts, isBack: Bool) {
    let program = program(of: session, facts)
    // The workers of one program come one after the other: they share the text.
    if program != newestProgram { newestProgram = program }
    session.program = newestProgram
    guard !isBack, let memory = remembered[session.program] else { return }
    submit(.remembered(session.client, memory))
  }

  /// Keeps what is known of a client now.
  func keepBehaviour(of session: Session) {
    guard session.isMember, let memory = broker.behaviour(of: session.client) else { return }
    // Of a program that was never asked there is nothing to remember.
    guard memory != .blank || remembered[session.program] != nil else { return }
    remembered.note(memory, of: session.program)
    isBehaviourUnsaved = true
    armHousekeeping(at: behaviourSavedAt + Daemon.behaviourPeriod)
  }

  /// Writes the state file where it is due and anything changed.
  ///
  /// Of several sessions of one program the least trusted counts: another one that behaves must not
  /// cover for it.
  func saveBehaviour(isLast: Bool = false) {
    guard let store = surroundings.behaviour else { return }
    let due = behaviourSavedAt + Daemon.behaviourPeriod
    guard isLast || (now >= due && !hasOpenRound) else {
      // Housekeeping forgets what it was armed for: a change that waits arms it again.
      if isBehaviourUnsaved { armHousekeeping(at: max(due, now + .seconds(1))) }
      return
    }
    behaviourSavedAt = now
    var live: [Session] = []
    sessions.forEach { session in if session.isMember { live.append(session) } }
    // The least trusted last: it is what stays.
    live.sort { (trust(of: $1), $0.client) < (trust(of: $0), $1.client) }
    for session in live { keepBehaviour(of: session) }
    isBehaviourUnsaved = false
    let entries = remembered.entries
    guard entries != savedBehaviour else { return }
    do throws(SystemError) {
      try store.write(BehaviourText.write(entries, at: surroundings.wallMicroseconds()))
      savedBehaviour = entries
      hasBehaviourFailed = false
    } catch {
      if !hasBehaviourFailed {
        log(.warning, "what clients did cannot be written down", [("reason", error.description)])
      }
      hasBehaviourFailed = true
    }
  }

  private func trust(of session: Session) -> UInt32 {
    broker.behaviour(of: session.client)?.trust.parts ?? 0
  }

  /// Which program it is, over restarts.
  private func program(of session: Session, _ facts: ClientFacts) -> String {
    let place: String
    if let executable = reader.executable(of: session.peer.process) {
      place = "exe:\(executable.suffix(Daemon.pathBytes))"
    } else if let unit = facts.cgroup?.split(separator: "/").last {
      place = "unit:\(unit.suffix(Daemon.pathBytes))"
    } else {
      place = "-"
    }
    return "\(facts.user) \(session.name) \(place)"
  }
}
