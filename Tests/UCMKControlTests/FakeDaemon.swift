// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import UCMKControl

/// A daemon in the test's own process: a Unix socket that answers by a script.
///
/// `hello` is answered unless the script says otherwise; every other method by what the script has
/// for it, one answer after the other, the last one for ever.
final class FakeDaemon {
  /// What is sent back for one request.
  enum Answer: Sendable {
    /// A result, as JSON.
    case result(String)
    /// An error, its data as JSON.
    case error(Int, String, data: String = "null")
    /// These lines as they are; `ID` in them becomes the id of the request.
    case lines([String])
    /// Nothing.
    case silence
    /// The end of the connection.
    case hangUp
  }

  /// Where it listens.
  let path: String

  private let folder: String
  private let listener: Int32
  private let state: State

  /// Makes a daemon that answers by `script`, in pieces of so many bytes, and sends the line
  /// `greeting` before anything is asked.
  init(
    _ script: [String: [Answer]] = [:],
    greeting: String? = nil,
    pieceLength: Int = .max
  ) throws {
    folder = try FakeDaemon.makeFolder()
    path = folder + "/s"
    listener = try FakeDaemon.listen(at: path)
    let state = State(script: script, greeting: greeting, pieceLength: pieceLength)
    self.state = state
    let listener = listener
    Thread.detachNewThread { FakeDaemon.serve(listener, state) }
  }

  deinit {
    // Wakes the thread, which closes the socket.
    shutdown(listener, Int32(SHUT_RDWR))
    unsafe unlink(path)
    unsafe rmdir(folder)
  }

  /// All that was said to it so far, on all connections.
  var requests: [JSONValue] { state.received.withLock { $0 } }

  /// The params of every request of `method` so far, each on one line.
  func params(of method: String) -> [String] {
    requests.filter { $0["method"].string == method }.map { $0["params"].line }
  }

  static func makeFolder() throws -> String {
    let path = NSTemporaryDirectory() + "/ucmkctl-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
      atPath: path,
      withIntermediateDirectories: true
    )
    return path
  }

  // MARK: The thread

  private final class State: Sendable {
    let script: Mutex<[String: [Answer]]>
    let greeting: String?
    let pieceLength: Int
    let received = Mutex<[JSONValue]>([])

    init(script: [String: [Answer]], greeting: String?, pieceLength: Int) {
      self.script = Mutex(script)
      self.greeting = greeting
      self.pieceLength = pieceLength
    }

    func answer(to method: String) -> Answer {
      script.withLock { script in
        guard let answers = script[method], let first = answers.first else {
          return method == "hello"
            ? .result(Samples.hello) : .error(-32601, "method not found")
        }
        if answers.count > 1 { script[method] = Array(answers.dropFirst()) }
        return first
      }
    }
  }

  private static func serve(_ listener: Int32, _ state: State) {
    while true {
      let connection = accept(listener, nil, nil)
      guard connection >= 0 else { break }
      if let greeting = state.greeting { send(greeting + "\n", to: connection, state) }
      converse(connection, state)
      close(connection)
    }
    close(listener)
  }

  private static func converse(_ connection: Int32, _ state: State) {
    var input: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
      while let end = input.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(input[..<end])
        input.removeSubrange(...end)
        guard reply(to: line, on: connection, state) else { return }
      }
      let count = unsafe buffer.withUnsafeMutableBytes { room in
        unsafe recv(connection, room.baseAddress, room.count, 0)
      }
      guard count > 0 else { return }
      input += buffer[..<count]
    }
  }

  /// Answers one line; false where the connection is to end.
  private static func reply(to line: [UInt8], on connection: Int32, _ state: State) -> Bool {
    let message: JSONValue
    do {
      message = try JSONValue(parsing: line)
    } catch {
      preconditionFailure("ucmkctl sent no JSON: \(String(decoding: line, as: UTF8.self))")
    }
    state.received.withLock { $0.append(message) }
    // What answers a request of ours needs none.
    guard let method = message["method"].string else { return true }
    let id = message["id"].line
    switch state.answer(to: method) {
    case .result(let result):
      let compact = result.split(separator: "\n").joined()
      send("{\"jsonrpc\":\"2.0\",\"id\":\(id),\"result\":\(compact)}\n", to: connection, state)
    case .error(let code, let text, let data):
      send(
        "{\"jsonrpc\":\"2.0\",\"id\":\(id),\"error\":"
          + "{\"code\":\(code),\"message\":\"\(text)\",\"data\":\(data)}}\n",
        to: connection,
        state
      )
    case .lines(let lines):
      for line in lines {
        send(line.replacingOccurrences(of: "ID", with: id) + "\n", to: connection, state)
      }
    case .silence: break
    case .hangUp: return false
    }
    return true
  }

  private static func send(_ text: String, to connection: Int32, _ state: State) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = unsafe rest.prefix(state.pieceLength).withUnsafeBytes { room in
        unsafe Glibc.send(connection, room.baseAddress, room.count, Int32(MSG_NOSIGNAL))
      }
      // A peer that has gone is what some tests are about.
      guard count > 0 else { return }
      rest = rest.dropFirst(count)
    }
  }

  private static func listen(at path: String) throws -> Int32 {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
      precondition(bytes.count < room.count, "the path of a socket is short")
      unsafe room.copyBytes(from: bytes)
    }
    let outcome = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe bind(listener, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard outcome == 0, Glibc.listen(listener, 8) == 0 else {
      throw CocoaError(.fileWriteUnknown)
    }
    return listener
  }
}
