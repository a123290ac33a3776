// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel

/// The conversation with the daemon: one line a message, one question at a time.
///
/// Opens with `hello` in the role `control`. While it waits for an answer it answers the daemon's
/// `ping`, keeps events for `nextEvent`, and says to every other request that it has no such
/// method: this side holds no cache.
package final class ControlConnection {
  /// What the daemon said to `hello`.
  package private(set) var greeting = JSONValue.null
  /// Where it listens.
  package let path: String

  /// The longest line that the daemon may send (`docs/PROTOCOL.md` §2), in bytes.
  private static let longestLine = 262_144

  private let stream: UnixStream
  private let patience: TimeSpan
  private var input: [UInt8] = []
  private var scanned = 0
  private var lastRequest: Int64 = 0
  private var events: [JSONValue] = []

  /// Connects to the first of `paths` that answers, and says hello.
  ///
  /// - Parameters:
  ///   - paths: At least one.
  ///   - patience: How long connecting and each answer may take.
  /// - Throws: `noDaemon`, and what a call throws.
  package init(paths: [String], patience: TimeSpan) throws(ControlError) {
    precondition(!paths.isEmpty, "there is a path to try")
    let deadline = Clock.monotonic() + patience
    var found: (path: String, stream: UnixStream)?
    var reason = ""
    for path in paths where found == nil {
      do throws(UnixStream.Failure) {
        found = (path, try UnixStream(path: path, deadline: deadline))
      } catch {
        reason = ControlConnection.reason(error)
      }
    }
    guard let found else { throw .noDaemon(paths: paths, reason: reason) }
    path = found.path
    stream = found.stream
    self.patience = patience
    greeting = try call("hello", ControlConnection.hello)
    guard greeting["protocol"].integer == 1 else {
      throw .garbage("hello was answered without \"protocol\":1")
    }
  }

  private static let hello: JSONValue = [
    "protocol": ["min": 1, "max": 1],
    "client": ["name": "ucmkctl", "version": .string(ToolVersion.current), "lang": "swift"],
    "capabilities": ["shrink": false],
    "role": "control",
  ]

  /// Asks, and waits for the answer.
  ///
  /// - Parameters:
  ///   - method: A method of `docs/PROTOCOL.md` §5 or §7.
  ///   - params: An object.
  ///   - extra: Time to wait beyond this connection's patience, where the work itself takes time.
  /// - Returns: The result.
  /// - Throws: `refused` with the daemon's error; `silent`, `closed` or `garbage` where no answer
  ///   came: the connection is of no use any more then.
  package func call(
    _ method: String,
    _ params: JSONValue = [:],
    waiting extra: TimeSpan = .zero
  ) throws(ControlError) -> JSONValue {
    let span = patience + extra
    let deadline = Clock.monotonic() + span
    lastRequest += 1
    let request: JSONValue = [
      "jsonrpc": "2.0", "id": .integer(lastRequest), "method": .string(method), "params": params,
    ]
    do throws(UnixStream.Failure) {
      try stream.write(Array((request.line + "\n").utf8), deadline: deadline)
    } catch {
      // A daemon that refuses a connection says why before it closes: read that first.
      guard error == .ended else { throw failure(error, method, span) }
    }
    while true {
      let message = try receive(by: deadline, for: method, span)
      if let answer = try take(message, deadline: deadline) { return answer }
    }
  }

  /// The params of the next `event` of a subscription.
  ///
  /// Waits for `span`, or for ever where that is nil, and answers the daemon meanwhile.
  package func nextEvent(within span: TimeSpan? = nil) throws(ControlError) -> JSONValue {
    let deadline = span.map { Clock.monotonic() + $0 }
    while events.isEmpty {
      let message = try receive(by: deadline, for: "subscribe", span ?? .zero)
      // An answer to an earlier request that was given up is of no use any more.
      let _: JSONValue? = try take(message, deadline: Clock.monotonic() + patience)
    }
    return events.removeFirst()
  }

  // MARK: Messages

  /// Deals with one message; returns the result where it answers the request that is open.
  private func take(
    _ message: JSONValue,
    deadline: MonotonicInstant
  ) throws(ControlError) -> JSONValue? {
    guard case .object = message else { throw .garbage("a line holds no object") }
    if let method = message["method"].string {
      try serve(method, message, deadline: deadline)
      return nil
    }
    let error = message["error"]
    if !error.isNull {
      guard let code = error["code"].integer else { throw .garbage("an error without a code") }
      let refusal = RPCError(
        code: code,
        text: error["message"].string ?? "refused",
        data: error["data"]
      )
      // Errors with id null end the conversation: too many connections, a broken line.
      guard message["id"].isNull || message["id"].integer == lastRequest else { return nil }
      throw .refused(refusal)
    }
    guard message["id"].integer == lastRequest else { return nil }
    return message["result"]
  }

  private func serve(
    _ method: String,
    _ message: JSONValue,
    deadline: MonotonicInstant
  ) throws(ControlError) {
    guard !message["id"].isNull else {
      if method == "event" { events.append(message["params"]) }
      return
    }
    let answer: JSONValue
    if method == "ping" {
      let now = Int64(clamping: Clock.monotonic().nanoseconds)
      answer = [
        "jsonrpc": "2.0", "id": message["id"], "result": ["monotonic_ns": .integer(now)],
      ]
    } else {
      answer = [
        "jsonrpc": "2.0", "id": message["id"],
        "error": [
          "code": .integer(RPCError.Code.methodNotFound), "message": "method not found",
          "data": ["method": .string(method)],
        ],
      ]
    }
    do throws(UnixStream.Failure) {
      try stream.write(Array((answer.line + "\n").utf8), deadline: deadline)
    } catch {
      throw failure(error, method, patience)
    }
  }

  // MARK: Lines

  /// The next message, whatever it is; `method` and `span` say what was waited for.
  private func receive(
    by deadline: MonotonicInstant?,
    for method: String,
    _ span: TimeSpan
  ) throws(ControlError) -> JSONValue {
    let line = try line(by: deadline, for: method, span)
    do throws(JSONError) {
      return try JSONValue(parsing: line)
    } catch {
      throw .garbage("a line is no JSON (\(error.text), at byte \(error.offset))")
    }
  }

  /// The next line that is not empty, without its end.
  private func line(
    by deadline: MonotonicInstant?,
    for method: String,
    _ span: TimeSpan
  ) throws(ControlError) -> [UInt8] {
    while true {
      if let end = input[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
        var line = Array(input[..<end])
        input.removeSubrange(...end)
        scanned = 0
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        if line.isEmpty { continue }
        return line
      }
      scanned = input.count
      guard scanned <= ControlConnection.longestLine else {
        throw .garbage("a line is longer than \(ControlConnection.longestLine) bytes")
      }
      do throws(UnixStream.Failure) {
        input += try stream.read(deadline: deadline)
      } catch {
        throw failure(error, method, span)
      }
    }
  }

  private func failure(
    _ failure: UnixStream.Failure,
    _ method: String,
    _ span: TimeSpan
  ) -> ControlError {
    switch failure {
    case .timedOut: .silent(method: method, waited: Quantity.duration(span))
    case .ended: .closed(reason: "it closed the connection")
    case .system(let number): .closed(reason: systemMessage(number))
    }
  }

  private static func reason(_ failure: UnixStream.Failure) -> String {
    switch failure {
    case .timedOut: "it does not accept connections"
    case .ended: "it closed the connection"
    case .system(let number): systemMessage(number)
    }
  }
}
