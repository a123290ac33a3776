// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKLinux
import UCMKModel
import UCMKProtocol

/// Serves one client's socket on its own small thread; never runs the program's code.
final class ServiceLoop {
  /// Frames of the codec and of the engine take a few hundred bytes each; a page of pipes and the
  /// resolver of the C library's `poll` wrapper a few thousand.
  static let stack = 256 << 10
  /// Room for a request of 62 targets with limits (under 6 KiB) and its scope (up to 4 KiB).
  private static let inputRoom = 16 << 10
  /// The longest silence of the own pressure file before the all-clear: five windows of 2 s.
  private static let calm = TimeSpan.seconds(10)

  private let core: ClientCore
  private let machinery: ClientCore.Machinery
  private let engine: ClientEngine
  private let paths: [String]
  private var backoff: Backoff
  private var socket: OwnedDescriptor?
  private var decoder = ServiceLoop.makeDecoder()
  private var chunk = [UInt8](repeating: 0, count: ServiceLoop.inputRoom / 2)
  private var sent = 0
  private var connectAt: MonotonicInstant
  private var generation: UInt64 = 0
  private var disconnects: UInt64 = 0

  private var pressure: LocalPressure?
  private var hasLookedForPressure = false
  private var pressedAt: MonotonicInstant?
  private var isLocallyPressed = false

  private var entries: [PollEntry]

  init(_ core: ClientCore, _ machinery: ClientCore.Machinery) {
    self.core = core
    self.machinery = machinery
    let configuration = core.configuration
    let now = MonotonicClock.now()
    engine = ClientEngine(
      settings: ClientEngine.Settings(
        name: configuration.applicationName ?? ServiceLoop.processName(),
        reportInterval: max(TimeSpan(configuration.reportInterval), ReportRule.shortest),
        trimsMalloc: configuration.trimMalloc
      ),
      housekeeper: machinery.housekeeper
    )
    paths =
      switch configuration.transport {
      case .automatic: core.environment.socketPaths
      case .unixSocket(let path): [path]
      case .localOnly, .disabled: []
      }
    backoff = Backoff(
      TimeSpan(configuration.reconnect.lowerBound)...TimeSpan(configuration.reconnect.upperBound),
      seed: now.nanoseconds ^ UInt64(getpid()) << 32
    )
    connectAt = now
    entries = [
      PollEntry(fd: machinery.bell.raw, events: .in),
      PollEntry(fd: -1, events: .in),
      PollEntry(fd: -1, events: .in),
    ]
  }

  func run() {
    while let change = core.cells(since: generation) {
      let now = MonotonicClock.now()
      generation = change.generation
      if let cells = change.cells { engine.adopt(cells, at: now) }
      engine.collect(at: now)
      connectIfDue(at: now)
      engine.tick(at: now)
      engine.synchronize()
      // Before the daemon hears of it: whoever has seen an answer finds it in the status.
      watchPressure(at: now)
      publish()
      flush(at: now)
      if engine.verdict == .close { drop(at: now) }
      if socket == nil {
        watchPressure(at: now)
        publish()
      }
      wait(at: now)
    }
    engine.leave()
    flush(at: MonotonicClock.now())
  }

  // MARK: - Connection

  private func connectIfDue(at now: MonotonicInstant) {
    guard socket == nil, !paths.isEmpty, now >= connectAt else { return }
    for path in paths {
      do throws(SystemError) {
        socket = try UnixStream.connect(path, nonblocking: true)
      } catch {
        // No daemon there is no error: the next path, and later all of them again.
        continue
      }
      decoder = ServiceLoop.makeDecoder()
      sent = 0
      engine.connected(at: now)
      return
    }
    connectAt = now + backoff.next()
  }

  private func drop(at now: MonotonicInstant) {
    socket = nil
    disconnects += 1
    let named = engine.reconnectAfter
    engine.disconnected(at: now)
    // A span of the daemon's is kept; one that is too short for comfort is not believed.
    connectAt = now + (named.map { max(backoff.jittered($0), backoff.next()) } ?? backoff.next())
  }

  private func flush(at now: MonotonicInstant) {
    guard let socket else { return }
    while sent < engine.writer.count {
      switch UnixStream.send(socket.raw, engine.writer.bytes, from: sent) {
      case .bytes(let count): sent += count
      case .wouldBlock: return
      case .closed, .failed:
        drop(at: now)
        return
      }
    }
    engine.writer.removeAll()
    sent = 0
  }

  private func receive(at now: MonotonicInstant) {
    guard let socket else { return }
    switch UnixStream.receive(socket.raw, into: &chunk) {
    case .bytes(let count):
      decoder.append(chunk, in: 0..<count)
      while engine.verdict == .stay, let frame = decoder.next() {
        switch frame {
        case .line(let range): engine.receive(decoder.bytes, in: range, at: now)
        case .oversized: engine.receiveOversized(at: now)
        }
      }
      if engine.isLive { backoff.reset() }
    case .wouldBlock: break
    case .closed, .failed: drop(at: now)
    }
  }

  private static func makeDecoder() -> FrameDecoder {
    FrameDecoder(limit: ProtocolLimits().lineOut, resting: inputRoom)
  }

  // MARK: - Own pressure file

  private func watchPressure(at now: MonotonicInstant) {
    if engine.isLive {
      pressure = nil
      hasLookedForPressure = false
      pressedAt = nil
      isLocallyPressed = false
      return
    }
    if !hasLookedForPressure, socket == nil {
      hasLookedForPressure = true
      pressure = LocalPressure.open(core.configuration.fallback, core.environment)
    }
    if isLocallyPressed, let pressedAt, now.since(pressedAt) >= ServiceLoop.calm {
      isLocallyPressed = false
      engine.endLocalPressure()
    }
  }

  private func takePressure(_ ready: EpollEvents, at now: MonotonicInstant) {
    guard let pressure else { return }
    switch pressure.take(ready) {
    case .nothing: break
    case .ended: self.pressure = nil
    case .event:
      if let pressedAt, now.since(pressedAt) < ClientEngine.localDeadline { return }
      pressedAt = now
      isLocallyPressed = true
      engine.admitLocalPressure(scope: pressure.scope, at: now)
    }
  }

  // MARK: - Waiting

  private func wait(at now: MonotonicInstant) {
    entries[1].fd = socket?.raw ?? -1
    entries[1].events = []
    if engine.writer.count - sent < ClientEngine.outputLimit { entries[1].events.insert(.in) }
    if sent < engine.writer.count { entries[1].events.insert(.out) }
    entries[2] = pressure?.entry ?? PollEntry(fd: -1, events: .in)
    do throws(SystemError) {
      try pollDescriptors(&entries, timeout: timeout(at: now))
    } catch {
      preconditionFailure("descriptors of our own can be waited for: \(error)")
    }
    let now = MonotonicClock.now()
    if !entries[0].ready.isEmpty { machinery.bell.drain() }
    if !entries[1].ready.intersection([.in, .hup, .err]).isEmpty { receive(at: now) }
    if !entries[2].ready.isEmpty { takePressure(entries[2].ready, at: now) }
  }

  /// Milliseconds until something is due, rounded up so that it is due then; -1 for never.
  private func timeout(at now: MonotonicInstant) -> Int32 {
    var next = engine.nextDeadline(after: now)
    if socket == nil, !paths.isEmpty { next = min(next ?? connectAt, connectAt) }
    if isLocallyPressed, let pressedAt {
      let calmAt = pressedAt + ServiceLoop.calm
      next = min(next ?? calmAt, calmAt)
    }
    guard let next else { return -1 }
    return Int32(clamping: (next.since(now).nanoseconds + 999_999) / 1_000_000)
  }

  /// Publishes the status, and then the events: whoever has seen an event finds it in the status.
  private func publish() {
    core.publish { status in
      if case .live(let session) = engine.phase {
        status.connection = .connected(session: session)
      } else {
        status.connection = .disconnected
      }
      status.pressureWatch = pressure.map { .watching(path: $0.path) } ?? .none
      status.level = engine.level
      status.requests = engine.answered
      status.freed = engine.freed
      status.disconnects = disconnects
    }
    machinery.housekeeper.deliver()
  }

  private static func processName() -> String {
    let text = KernelFiles(cgroup: nil).text(of: .process(ProcessID(getpid()), "comm")) ?? ""
    let name = text.prefix { $0 != "\n" }
    return name.isEmpty ? "swift" : String(name)
  }
}
