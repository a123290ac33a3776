// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import UCMKLinux
import UCMKModel
import UCMKProtocol

/// What the broker's thread and the tests share.
final class BrokerState: Sendable {
  /// Somebody who waits until the log holds something.
  struct Waiter {
    var what: String
    var deadline: MonotonicInstant
    /// Looks; resumes the one who waits and returns true where it found something.
    var look: (inout BrokerLog) -> Bool
    var fail: (FakeBrokerError) -> Void
  }

  struct Shared {
    var log: BrokerLog
    var waiters: [Waiter] = []
  }

  let shared: Mutex<Shared>
  let bell: EventFD

  init(heartbeat: TimeSpan) throws(SystemError) {
    bell = try EventFD()
    shared = Mutex(Shared(log: BrokerLog(heartbeat: heartbeat)))
  }

  /// Changes the log from outside and lets the thread act on it.
  func change<Value: Sendable>(_ body: (inout sending BrokerLog) -> Value) -> Value {
    let value = shared.withLock { shared in
      let value = body(&shared.log)
      shared.serveWaiters()
      return value
    }
    bell.signal()
    return value
  }
}

extension BrokerState.Shared {
  /// Lets everyone who waits look again.
  mutating func serveWaiters() {
    waiters.removeAll { $0.look(&log) }
  }
}

/// Accepts, reads, answers and writes, on a thread of its own.
final class BrokerThread {
  private let state: BrokerState
  private let path: String
  private var listener: UnixListener?
  private var sockets: [(number: UInt64, descriptor: OwnedDescriptor, decoder: FrameDecoder)] = []
  private var chunk = [UInt8](repeating: 0, count: 64 << 10)

  init(_ state: BrokerState, _ listener: UnixListener, path: String) {
    self.state = state
    self.listener = listener
    self.path = path
  }

  func run() {
    while true {
      let (isStopped, listens) = state.shared.withLock { ($0.log.isStopped, $0.log.listens) }
      if isStopped { break }
      listen(listens)
      writeAndClose()
      expireWaiters()
      wait()
    }
    state.shared.withLock { shared in
      for waiter in shared.waiters { waiter.fail(.stopped) }
      shared.waiters = []
    }
  }

  private func listen(_ wanted: Bool) {
    if !wanted { listener = nil }
    guard wanted, listener == nil else { return }
    do throws(ListenerError) {
      listener = try UnixListener(binding: path, mode: 0o600)
    } catch {
      preconditionFailure("a folder of our own takes a socket again: \(error)")
    }
  }

  private func wait() {
    let (isSilent, deadline, hasOutput) = state.shared.withLock { shared in
      (
        shared.log.isSilent,
        shared.waiters.map(\.deadline).min(),
        shared.log.connections.map { $0.isOpen && !$0.outbox.isEmpty }
      )
    }
    var entries = [
      PollEntry(fd: state.bell.raw, events: .in),
      PollEntry(fd: listener?.raw ?? -1, events: .in),
    ]
    for socket in sockets {
      var events: EpollEvents = isSilent ? [] : .in
      if hasOutput[Int(socket.number) - 1] { events.insert(.out) }
      entries.append(PollEntry(fd: socket.descriptor.raw, events: events))
    }
    let now = MonotonicClock.now()
    let timeout = deadline.map { Int32(clamping: $0.since(now).milliseconds + 1) } ?? -1
    do throws(SystemError) {
      try pollDescriptors(&entries, timeout: timeout)
    } catch {
      preconditionFailure("descriptors of our own can be waited for: \(error)")
    }
    if !entries[0].ready.isEmpty { state.bell.drain() }
    for index in sockets.indices.reversed() where !entries[index + 2].ready.isEmpty {
      if !isSilent || !entries[index + 2].ready.isDisjoint(with: [.hup, .err]) { receive(index) }
    }
    if !entries[1].ready.isEmpty { accept() }
  }

  private func accept() {
    guard case .connection(let descriptor)? = listener?.accept() else { return }
    let number = state.change { log in
      log.lastConnection += 1
      log.connections.append(BrokerLog.Connection(number: log.lastConnection))
      return log.lastConnection
    }
    sockets.append((number, descriptor, FrameDecoder(limit: 1 << 20)))
  }

  private func receive(_ index: Int) {
    switch UnixStream.receive(sockets[index].descriptor.raw, into: &chunk) {
    case .bytes(let count):
      sockets[index].decoder.append(chunk, in: 0..<count)
      let number = Int(sockets[index].number)
      while let frame = sockets[index].decoder.next() {
        guard case .line(let range) = frame else { continue }
        let bytes = sockets[index].decoder.bytes
        state.change { $0.receive(bytes, in: range, from: number - 1) }
      }
    case .wouldBlock: break
    case .closed, .failed: close(index)
    }
  }

  private func close(_ index: Int) {
    let number = Int(sockets.remove(at: index).number)
    state.change { $0.close(number - 1) }
  }

  private func writeAndClose() {
    for index in sockets.indices.reversed() {
      let number = Int(sockets[index].number)
      let descriptor = sockets[index].descriptor.raw
      let mustClose = state.shared.withLock { shared in
        let bytes = shared.log.connections[number - 1].outbox
        if case .bytes(let count) = UnixStream.send(descriptor, bytes) {
          shared.log.connections[number - 1].outbox.removeFirst(count)
        }
        let connection = shared.log.connections[number - 1]
        return connection.mustClose && connection.outbox.isEmpty
      }
      if mustClose { close(index) }
    }
  }

  private func expireWaiters() {
    let now = MonotonicClock.now()
    state.shared.withLock { shared in
      shared.serveWaiters()
      shared.waiters.removeAll { waiter in
        guard waiter.deadline <= now else { return false }
        waiter.fail(.timedOut(waitingFor: waiter.what))
        return true
      }
    }
  }
}

extension BrokerLog {
  /// A connection ended: its session may come back unless it said good-bye.
  mutating func close(_ index: Int) {
    connections[index].isOpen = false
    connections[index].outbox = []
    guard !isForgetful, connections[index].session != nil else { return }
    let token = "token-\(connections[index].number)"
    kept.append(Kept(token: token, caches: connections[index].caches))
  }
}
