// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
package import UCMKLinux
package import UCMKModel

/// Whether there is something to read from a descriptor at this moment.
package func isReadable(_ fd: Int32) -> Bool {
  var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
  return unsafe poll(&entry, 1, 0) > 0
}

/// The other end of a connection, as plain as a stranger's program: lines out, lines in.
///
/// Works over a real socket, where it waits with a deadline, and beside a daemon that a test drives
/// by hand: then `pump` has the daemon serve whatever is there, and nothing is waited for.
package final class WireClient {
  private let socket: OwnedDescriptor
  private let pump: (() -> Void)?
  private var bytes: [UInt8] = []
  /// Messages that came while another one was waited for.
  private var inbox: [WireValue] = []
  private var chunk = [UInt8](repeating: 0, count: 256 << 10)
  private var nextID = 1
  /// Whether the daemon has closed the connection and everything before that was read.
  package private(set) var isClosed = false
  /// The length of the longest line that came.
  package private(set) var longestLine = 0

  /// How long a real daemon may take on a slow machine with other work; far above what it takes.
  package static let patience = TimeSpan.seconds(60)

  /// Makes a client of a connected socket that does not block.
  package init(_ socket: OwnedDescriptor, pump: (() -> Void)? = nil) {
    self.socket = socket
    self.pump = pump
  }

  /// Connects to a daemon's socket.
  package convenience init(connectingTo path: String) throws(SystemError) {
    self.init(try UnixStream.connect(path, nonblocking: true))
  }

  // MARK: - Out

  /// Sends a line, adding its end.
  package func send(_ line: String) { send(bytes: Array("\(line)\n".utf8)) }

  /// Sends bytes as they are.
  ///
  /// - Returns: Whether all of them went out.
  @discardableResult
  package func send(bytes: [UInt8], within patience: TimeSpan = WireClient.patience) -> Bool {
    let end = MonotonicClock.now() + patience
    var sent = 0
    while sent < bytes.count {
      switch UnixStream.send(socket.raw, bytes, from: sent) {
      case .bytes(let count): sent += count
      case .wouldBlock:
        guard wait(for: Int16(POLLOUT), until: end) else { return false }
      case .closed, .failed: return false
      }
    }
    return true
  }

  /// Sends as much as the daemon takes without being waited for.
  ///
  /// - Returns: How many bytes it took.
  package func push(_ bytes: [UInt8]) -> Int {
    guard case .bytes(let count) = UnixStream.send(socket.raw, bytes) else { return 0 }
    return count
  }

  /// Says that nothing more will be sent.
  package func finishSending() throws(SystemError) { try UnixStream.finishSending(socket.raw) }

  // MARK: - In

  /// The next message of any kind.
  ///
  /// - Returns: nil when the time is over, or the connection.
  package func receive(within patience: TimeSpan = WireClient.patience) -> WireValue? {
    if !inbox.isEmpty { return inbox.removeFirst() }
    return receiveFresh(until: MonotonicClock.now() + patience)
  }

  /// The first message that `matches`; those before it are kept.
  package func receive(
    within patience: TimeSpan = WireClient.patience,
    where matches: (WireValue) -> Bool
  ) -> WireValue? {
    if let index = inbox.firstIndex(where: matches) { return inbox.remove(at: index) }
    let end = MonotonicClock.now() + patience
    while let message = receiveFresh(until: end) {
      if matches(message) { return message }
      inbox.append(message)
    }
    return nil
  }

  /// The next request or notification of this method.
  package func next(
    _ method: String,
    within patience: TimeSpan = WireClient.patience
  ) -> WireValue? {
    receive(within: patience) { $0["method"].string == method }
  }

  /// Takes all that has come, without waiting for more than one turn of a hand-driven daemon.
  package func drain() -> [WireValue] {
    while let message = receiveFresh(until: MonotonicInstant(nanoseconds: 0)) {
      inbox.append(message)
    }
    defer { inbox.removeAll() }
    return inbox
  }

  /// Reads until the daemon closes the connection; false where it does not in time.
  package func waitForClose(within patience: TimeSpan = WireClient.patience) -> Bool {
    let end = MonotonicClock.now() + patience
    while let message = receiveFresh(until: end) { inbox.append(message) }
    return isClosed
  }

  // MARK: - Calls

  /// Sends a request and returns its whole answer.
  package func call(
    _ method: String,
    _ params: String = "{}",
    within patience: TimeSpan = WireClient.patience
  ) -> WireValue {
    let id = request(method, params)
    return answer(to: id, within: patience)
  }

  /// Sends a request and returns its id.
  package func request(_ method: String, _ params: String = "{}") -> Int {
    let id = nextID
    nextID += 1
    send(#"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#)
    return id
  }

  /// The answer to the request `id`.
  package func answer(to id: Int, within patience: TimeSpan = WireClient.patience) -> WireValue {
    receive(within: patience) { message in
      message["id"].int == id && message["method"] == .absent
    } ?? .absent
  }

  /// Sends a notification.
  package func notify(_ method: String, _ params: String = "{}") {
    send(#"{"jsonrpc":"2.0","method":"\#(method)","params":\#(params)}"#)
  }

  /// Says hello; `more` is added to the params.
  @discardableResult
  package func hello(_ name: String = "test", _ more: String = "") -> WireValue {
    let params = #"{"protocol":{"min":1,"max":1},"client":{"name":"\#(name)"}\#(more)}"#
    return call("hello", params)["result"]
  }

  /// Says hello as one who looks and changes things.
  @discardableResult
  package func helloControl() -> WireValue { hello("control", #","role":"control""#) }

  /// Registers one cache and returns its id.
  @discardableResult
  package func register(
    _ name: String,
    bytes: Int,
    reclaimable: Int? = nil,
    _ more: String = ""
  ) -> Int {
    let usage = #"{"bytes":\#(bytes),"reclaimable":\#(reclaimable ?? bytes)}"#
    let params = #"{"caches":[{"name":"\#(name)","usage":\#(usage)\#(more)}]}"#
    return call("cache.register", params)["result"]["caches"][0]["id"].int ?? 0
  }

  /// Answers a shrink request by having freed all that was asked of `size` bytes of each cache.
  package func comply(with shrink: WireValue, size: Int) {
    let targets = shrink["params"]["targets"].elements.map { target in
      let freed = target["bytes"].int ?? 0
      return (id: target["id"].int ?? 0, freed: freed, left: max(0, size - freed))
    }
    answer(shrink, targets)
  }

  /// Answers a shrink request with these numbers.
  package func answer(_ shrink: WireValue, _ targets: [(id: Int, freed: Int, left: Int)]) {
    let rows = targets.map { target in
      #"{"id":\#(target.id),"freed":\#(target.freed),"bytes":\#(target.left),"#
        + #""reclaimable":\#(target.left),"more":false}"#
    }
    let round = shrink["params"]["round"].int ?? 0
    let result = #"{"round":\#(round),"targets":[\#(rows.joined(separator: ","))],"took_ms":1}"#
    send(#"{"jsonrpc":"2.0","id":\#(shrink["id"].int ?? 0),"result":\#(result)}"#)
  }

  // MARK: - Bytes

  private func receiveFresh(until end: MonotonicInstant) -> WireValue? {
    var hasPumped = false
    while true {
      if let line = takeLine() { return WireValue(line: line) }
      switch UnixStream.receive(socket.raw, into: &chunk) {
      case .bytes(let count): bytes.append(contentsOf: chunk[..<count])
      case .closed, .failed:
        isClosed = true
        return nil
      case .wouldBlock:
        if let pump {
          guard !hasPumped else { return nil }
          hasPumped = true
          pump()
        } else {
          guard wait(for: Int16(POLLIN), until: end) else { return nil }
        }
      }
    }
  }

  private func takeLine() -> ArraySlice<UInt8>? {
    guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    let line = bytes[..<end]
    longestLine = max(longestLine, line.count)
    bytes.removeSubrange(...end)
    return line
  }

  private func wait(for events: Int16, until end: MonotonicInstant) -> Bool {
    if let pump {
      pump()
      return MonotonicClock.now() < end
    }
    let left = end.since(MonotonicClock.now()).milliseconds
    guard left > 0 else { return false }
    var entry = pollfd(fd: socket.raw, events: events, revents: 0)
    return unsafe poll(&entry, 1, Int32(left)) > 0
  }
}
