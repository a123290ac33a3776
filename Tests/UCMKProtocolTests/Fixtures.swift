// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKProtocol

/// A golden message: one line of `Tests/Fixtures/protocol`, as it stands on the wire.
struct Fixture {
  let line: String

  init(_ name: String) throws {
    let url = Fixture.folder.appending(path: "\(name).json")
    line = try String(contentsOf: url, encoding: .utf8)
  }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/protocol")

  /// The message without its line end.
  func message() throws -> IncomingMessage {
    let bytes = [UInt8](line.utf8.dropLast())
    return try IncomingMessage(bytes, in: 0..<bytes.count)
  }

  /// The method and params of a request or notification.
  func call() throws -> (method: Method?, params: JSONValue?) {
    switch try message() {
    case .request(_, let method, let params), .notification(let method, let params):
      return (Method(method), params)
    case .response, .ignored:
      Issue.record("no call: \(line)")
      return (nil, nil)
    }
  }

  /// The result of an answer.
  func result() throws -> JSONValue {
    guard case .response(_, .result(let result)) = try message() else {
      Issue.record("no result: \(line)")
      return try json("null")
    }
    return result
  }
}

/// A value of a text that must be right.
func json(_ text: String) throws -> JSONValue { try JSONText.parse(text) }

/// What `body` writes.
func written(_ body: (inout JSONWriter) -> Void) -> String {
  var writer = JSONWriter()
  body(&writer)
  return String(decoding: writer.bytes, as: UTF8.self)
}

/// The message in `line`.
func message(_ line: String) throws -> IncomingMessage {
  let bytes = [UInt8](line.utf8)
  return try IncomingMessage(bytes, in: 0..<bytes.count)
}
