// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKSystemd

/// Serves: wires the daemon to the event loop, the service manager and the signals.
final class DaemonServer {
  private let options: DaemonOptions
  private let places: Places
  private let loop: EventLoop
  private let journal: Journal
  private let daemon: Daemon
  private let listener: UnixListener
  private let lacks: [HostRequirement]
  private var wakeTimer: TimerSource?
  private var armedFor: MonotonicInstant?
  private var environmentWatch: (watch: PressureWatch, source: IOSource)?
  private var toldStatus: Headline?

  init(_ options: DaemonOptions) throws(StartProblem) {
    self.options = options
    places = try Places(options)
    journal = Journal(identifier: "ucmkd", leastLevel: options.logLevel) { message in
      LogMessage.id(of: message)
    }
    let settings = try DaemonServer.load(places)
    lacks = HostRequirement.lacking(at: places)
    try HostRequirement.check(settings.required, lacks)
    do throws(SystemError) {
      try SignalNumber.pipe.ignore()
      // A client that sees the socket may send one at once: it waits until the loop takes it.
      for signal in [SignalNumber.hangUp, .terminate, .interrupt, .user1] { try signal.block() }
      try DescriptorLimit.raise()
      loop = try EventLoop()
    } catch {
      throw StartProblem(.system, error.description)
    }
    let files = KernelFiles(proc: places.proc, cgroup: places.cgroup?.path)
    let (journal, places) = (journal, places)
    let surroundings = Daemon.Surroundings(
      files: files,
      registry: LoopRegistry(loop),
      now: { MonotonicClock.now() },
      wallMicroseconds: { WallClock.microseconds() },
      log: { journal.send($0.level, $0.message, fields: $0.fields) },
      loadSettings: { places.settings.load() },
      isUserInstance: options.isUserInstance,
      ownUser: geteuid(),
      behaviour: places.state.map { BehaviourStore(folder: $0) }
    )
    let recorder = try DaemonServer.recorder(options)
    do throws(SystemError) {
      daemon = try Daemon(settings: settings, surroundings: surroundings, recorder: recorder)
    } catch {
      throw StartProblem(.system, error.description)
    }
    listener = try DaemonServer.listen(places, isGiven: options.socket != nil)
  }

  /// Runs until a signal says stop.
  ///
  /// Returns the exit code.
  func run() throws(StartProblem) -> Int32 {
    defer {
      daemon.recorder.finish(at: MonotonicClock.now())
      daemon.finishBehaviour()
    }
    do throws(SystemError) {
      try addSources()
      daemon.start()
      try addEnvironmentWatch()
      // What it would say is said with READY.
      toldStatus = daemon.headline
      try endTurn()
      lockMemory()
      try ServiceManager.notifyReady(status: daemon.headline.text)
      journal.send(
        .notice,
        "serving",
        fields: [("version", Daemon.version), ("socket", places.socket)]
      )
      for lack in lacks { journal.send(.warning, lack.consequence) }
      return try loop.run()
    } catch {
      throw StartProblem(.system, error.description)
    }
  }

  // MARK: - Parts

  private static func load(_ places: Places) throws(StartProblem) -> Settings {
    switch places.settings.load() {
    case .valid(let settings): return settings
    case .invalid(let problems):
      let text = problems.map(\.description).joined(separator: "\n")
      throw StartProblem(.configuration, text)
    }
  }

  private static func recorder(_ options: DaemonOptions) throws(StartProblem) -> Recorder {
    guard let path = options.record else { return Recorder() }
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw StartProblem(.system, "\(path): \(DaemonProcess.reason(errno))")
    }
    let owned = OwnedDescriptor(file)
    do throws(SystemError) {
      return Recorder(thread: try RecordingThread { DaemonProcess.write($0, to: owned.raw) })
    } catch {
      throw StartProblem(.system, error.description)
    }
  }

  private static func listen(
    _ places: Places,
    isGiven: Bool
  ) throws(StartProblem) -> UnixListener {
    do throws(ListenerError) {
      if let inherited = try inheritedSocket() { return try UnixListener(inherited: inherited) }
      if !isGiven { places.makeRuntimeFolder() }
      return try UnixListener(binding: places.socket, mode: places.socketMode)
    } catch {
      switch error {
      case .inUse: throw StartProblem(.unavailable, error.description)
      case .badPath: throw StartProblem(.system, error.description)
      case .system(let cause):
        throw StartProblem(cause.isPermission ? .notPermitted : .system, error.description)
      }
    }
  }

  private static func inheritedSocket() throws(ListenerError) -> Int32? {
    do throws(SystemError) {
      let given = try ServiceManager.listenDescriptors()
      return given.first { ServiceManager.isListeningSocket($0.fd) }?.fd
    } catch {
      throw .system(error)
    }
  }

  private func addSources() throws(SystemError) {
    let daemon = daemon
    try loop.addIO(daemon.socketsDescriptor, events: .in) { _ in daemon.serveSockets() }
    try loop.addIO(listener.raw, events: .in) { [listener] _ in
      daemon.accept(from: listener)
    }
    wakeTimer = try loop.addTimer(at: nil, accuracy: .milliseconds(1)) { daemon.wake() }
    try loop.addPost { [unowned self] in endTurnOrLog() }
    try loop.addSignal(.hangUp) { [unowned self] in reload() }
    try loop.addSignal(.terminate) { [unowned self] in stop() }
    try loop.addSignal(.interrupt) { [unowned self] in stop() }
    try loop.addSignal(.user1) { [unowned self] in dumpFlight() }
    try addWatchdog()
  }

  /// The ping is a turn of the loop that also served whatever was ready before it: a loop that
  /// hangs, or a turn that never ends, is noticed.
  private func addWatchdog() throws(SystemError) {
    guard let interval = try ServiceManager.watchdogInterval() else { return }
    let half = TimeSpan(nanoseconds: interval.nanoseconds / 2)
    var timer: TimerSource?
    timer = try loop.addTimer(
      at: MonotonicClock.now() + half,
      accuracy: TimeSpan(nanoseconds: interval.nanoseconds / 10),
      priority: 10
    ) { [unowned self] in
      attempt("the service manager cannot be told") { () throws(SystemError) in
        try ServiceManager.notifyWatchdog()
        try timer?.rearm(at: MonotonicClock.now() + half)
      }
    }
  }

  private func addEnvironmentWatch() throws(SystemError) {
    let opened: PressureWatch?
    do throws(PressureWatchError) {
      opened = try PressureWatchEnvironment().open()
    } catch {
      journal.send(
        .warning,
        "the pressure source of the environment is not used",
        fields: [("reason", error.description)]
      )
      return
    }
    guard let watch = opened else { return }
    let source = try loop.addIO(watch.raw, events: watch.events, priority: -10) {
      [unowned self] ready in
      switch watch.drain(ready) {
      case .event: daemon.pressureWatchFired()
      case .nothing: break
      case .ended: endEnvironmentWatch()
      }
    }
    environmentWatch = (watch, source)
    daemon.hasEnvironmentWatch = true
  }

  private func endEnvironmentWatch() {
    environmentWatch?.source.remove()
    environmentWatch = nil
    daemon.hasEnvironmentWatch = false
    journal.send(.warning, "the pressure source of the environment ended")
  }

  // MARK: - Turns

  private func endTurnOrLog() {
    attempt("a timer cannot be set") { () throws(SystemError) in try endTurn() }
  }

  private func endTurn() throws(SystemError) {
    let next = daemon.nextWake
    if next != armedFor {
      if let next { try wakeTimer?.rearm(at: next) } else { try wakeTimer?.disarm() }
    }
    // A timer that fired is off: where the same instant is wanted again it must be armed anew.
    armedFor = next.flatMap { $0 > MonotonicClock.now() ? $0 : nil }
    try tellStatus()
  }

  private func tellStatus() throws(SystemError) {
    let headline = daemon.headline
    guard headline != toldStatus else { return }
    toldStatus = headline
    try ServiceManager.notifyStatus(headline.text)
  }

  private func attempt(_ message: String, _ body: () throws(SystemError) -> Void) {
    do throws(SystemError) {
      try body()
    } catch {
      journal.send(.error, message, fields: [("reason", error.description)])
    }
  }

  // MARK: - Signals

  private func reload() {
    attempt("the service manager cannot be told") { () throws(SystemError) in
      try ServiceManager.notifyReloading(at: MonotonicClock.now())
    }
    daemon.reloadBySignal()
    attempt("the service manager cannot be told") { () throws(SystemError) in
      try ServiceManager.notifyReady(status: daemon.headline.text)
    }
  }

  private func stop() {
    attempt("the service manager cannot be told") { () throws(SystemError) in
      try ServiceManager.notifyStopping()
    }
    daemon.stop()
    listener.removeFile()
    journal.send(.notice, "stopped")
    attempt("the loop cannot be left") { () throws(SystemError) in
      try loop.exit(ExitCode.stopped.rawValue)
    }
  }

  private func dumpFlight() {
    let (lines, forgotten) = daemon.recorder.flightDump
    var target: OwnedDescriptor?
    var path = "standard error"
    if let state = places.state {
      let name = "\(state)/flight-\(WallClock.microseconds()).jsonl"
      let file = unsafe open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
      if file >= 0 {
        target = OwnedDescriptor(file)
        path = name
      }
    }
    DaemonProcess.write(lines, to: target?.raw ?? 2)
    journal.send(
      .notice,
      "flight recorder dumped",
      fields: [("to", path), ("bytes", "\(lines.count)"), ("forgotten", "\(forgotten)")]
    )
  }

  // MARK: - Memory

  /// Without the right to lock all that the process maps, a later mapping would fail: then nothing
  /// is locked.
  private func lockMemory() {
    // The start is over: what it needed is given back before what a round needs is kept.
    MallocTrim.trim()
    MemoryLock.forgetCode()
    if !options.isUserInstance {
      do throws(SystemError) {
        if DaemonServer.mayLock {
          try MemoryLock.lock(.onFault)
        } else {
          journal.send(.info, "memory is not locked: RLIMIT_MEMLOCK is too small")
        }
      } catch {
        journal.send(.info, "memory is not locked", fields: [("reason", error.description)])
      }
    }
    let rehearsed = Rehearsal.run()
    journal.send(.debug, "rehearsed", fields: [("asked_bytes", "\(rehearsed.value)")])
  }

  /// Whether `RLIMIT_MEMLOCK` allows for more than the daemon maps with all its limits reached, or
  /// does not count for this user.
  private static var mayLock: Bool {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(__RLIMIT_MEMLOCK.rawValue), &limit) == 0 else {
      return false
    }
    return geteuid() == 0 || limit.rlim_cur >= 1 << 30
  }
}
