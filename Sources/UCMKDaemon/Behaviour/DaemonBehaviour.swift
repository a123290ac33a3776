// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
package import UCMKModel
import UCMKSystemd

/// What is remembered of programs: told to the core when one joins, kept when it leaves, and
/// written down so that a restart of the daemon forgives nothing.
extension Daemon {
  /// How often the state file is written at most.
  static let behaviourPeriod = TimeSpan.seconds(60)
  /// How long the end of the daemon waits for the state file: a third of what the unit allows.
  package static let behaviourEnd = TimeSpan.seconds(5)
  /// Bytes of a path that tell a program from others; the end of it says more than the beginning.
  private static let pathBytes = 256

  /// Reads the state file; one that cannot be used is told once and ignored.
  func recallBehaviour() {
    guard let store = surroundings.behaviour else { return }
    do throws(SystemError) {
      guard let bytes = try store.read() else { return }
      do throws(BehaviourText.Fault) {
        let entries = try BehaviourText.read(bytes, at: surroundings.wallMicroseconds())
        for entry in entries { remembered.restore(entry.memory, of: entry.key) }
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
    guard !isBack else { return remembered.comeBack(session.program) }
    guard let memory = remembered.join(session.program) else { return }
    submit(.remembered(session.client, memory))
  }

  /// Keeps what is known of a client that goes.
  func keepBehaviour(of session: Session) {
    let memory = broker.behaviour(of: session.client) ?? .blank
    remembered.leave(session.program, memory)
    guard memory != .blank || remembered[session.program] != nil else { return }
    isBehaviourUnsaved = true
    armHousekeeping(at: behaviourSavedAt + Daemon.behaviourPeriod)
  }

  /// Has the state file written where it is due and anything changed; waits for no disk.
  ///
  /// Of several sessions of one program the worse of each counts: another one that behaves must not
  /// cover for it.
  func saveBehaviour(isLast: Bool = false) {
    guard let writer = behaviourWriter else { return }
    noteOutcome(of: writer)
    let due = behaviourSavedAt + Daemon.behaviourPeriod
    guard isLast || (now >= due && !hasOpenRound) else {
      // Housekeeping forgets what it was armed for: what waits arms it again.
      if isBehaviourUnsaved || writer.isWriting {
        armHousekeeping(at: max(due, now + .seconds(1)))
      }
      return
    }
    behaviourSavedAt = now
    if writer.isWriting, !isLast {
      if isFirstFailure() { tellStuck("it was given a minute") }
      armHousekeeping(at: now + Daemon.behaviourPeriod)
    }
    remembered.beginSurvey()
    sessions.forEach { session in
      guard session.isMember, let memory = broker.behaviour(of: session.client) else { return }
      remembered.note(memory, of: session.program)
    }
    isBehaviourUnsaved = false
    let entries = remembered.entries
    guard entries != savedBehaviour else { return }
    do throws(SystemError) {
      try writer.hand(.init(entries: entries, microseconds: surroundings.wallMicroseconds()))
      savedBehaviour = entries
      // Soon it is known how that went.
      armHousekeeping(at: now + .seconds(1))
    } catch {
      tellFailure(error)
    }
  }

  /// Waits a while for what `stop` had written: the disk may hang, the end of the daemon must not.
  package func finishBehaviour(within limit: TimeSpan = Daemon.behaviourEnd) {
    guard let writer = behaviourWriter else { return }
    let isDone = writer.finish(within: limit)
    noteOutcome(of: writer)
    if !isDone, isFirstFailure() { tellStuck("the daemon stopped before it was there") }
  }

  private func noteOutcome(of writer: BehaviourWriter) {
    switch writer.takeOutcome() {
    case .written: hasBehaviourFailed = false
    case .failed(let error):
      tellFailure(error)
      // What is on the disk is not what was handed over.
      savedBehaviour = []
    case nil: break
    }
  }

  private func tellFailure(_ error: SystemError) {
    guard isFirstFailure() else { return }
    log(.warning, "what clients did cannot be written down", [("reason", error.description)])
  }

  private func tellStuck(_ reason: String) {
    log(.warning, "the disk does not take what clients did", [("reason", reason)])
  }

  /// A disk that fails or hangs is told once, until it takes something again.
  private func isFirstFailure() -> Bool {
    defer { hasBehaviourFailed = true }
    return !hasBehaviourFailed
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
