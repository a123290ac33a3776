// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKProtocol

@Suite("The catalog of messages")
struct MessageCatalogTests {
  private let toDaemon = [
    "hello", "cache.register", "cache.update", "cache.unregister", "cache.report",
    "purgeable.set", "limit.get", "bye",
  ]
  private let toClient = ["shrink", "limit", "relax", "notice", "shutdown", "event"]
  private let both = ["ping", "$/cancel"]
  private let control = [
    "daemon.status", "client.list", "client.get", "round.list", "round.get", "plan", "trigger",
    "subscribe", "unsubscribe", "daemon.reload", "daemon.pause", "daemon.resume",
    "cache.override", "rpc.discover",
  ]
  private let notifications: Set = [
    "cache.report", "bye", "$/cancel", "limit", "relax", "notice", "shutdown", "event",
  ]

  private func name(_ method: Method) -> String { "\(method.name)" }

  @Test("it holds the methods of the protocol and no other")
  func complete() {
    let names = MessageCatalog.entries.map { name($0.method) }
    #expect(names.count == 30)
    #expect(Set(names) == Set(toDaemon + toClient + both + control))
  }

  @Test("each method has its direction")
  func directions() {
    for entry in MessageCatalog.entries {
      let name = name(entry.method)
      switch entry.direction {
      case .clientToDaemon: #expect((toDaemon + control).contains(name))
      case .daemonToClient: #expect(toClient.contains(name))
      case .both: #expect(both.contains(name))
      }
    }
  }

  @Test("notifications have no result, requests have one")
  func kinds() {
    for entry in MessageCatalog.entries {
      let isNotification = notifications.contains(name(entry.method))
      #expect((entry.kind == .notification) == isNotification)
      #expect((entry.result == nil) == isNotification)
    }
  }

  @Test("each method needs the role that the protocol says")
  func roles() {
    let observer = ["round.list", "round.get", "plan", "subscribe", "unsubscribe"]
    let admin = [
      "trigger", "daemon.reload", "daemon.pause", "daemon.resume", "cache.override",
    ]
    for entry in MessageCatalog.entries {
      let name = name(entry.method)
      #expect((entry.role == .observer) == observer.contains(name), "\(name)")
      #expect((entry.role == .admin) == admin.contains(name), "\(name)")
    }
  }

  @Test("a method is found by its name, however it is spelled")
  func lookup() throws {
    for method in Method.allCases {
      #expect(try Method(json("\"\(name(method))\"")) == method)
    }
    #expect(try Method(json(#""cache\u002ereport""#)) == .cacheReport)
    #expect(try Method(json(#""Ping""#)) == nil)
    #expect(try Method(json(#""""#)) == nil)
    #expect(try Method(json("1")) == nil)
  }

  @Test("every method has a golden message, every request with content a golden answer")
  func goldens() throws {
    for method in Method.allCases {
      let file = method == .cancel ? "cancel" : name(method)
      #expect(try Fixture(file).call().method == method)
    }
  }

  @Test("rpc.discover is one JSON line within the limits, in the order of the list")
  func discover() throws {
    let text = written { writer in
      writer.beginResponse(id: .integer(1))
      MessageCatalog.write(to: &writer)
      writer.endMessage()
    }
    #expect(text.utf8.count <= ProtocolLimits().lineOut)
    #expect(!text.dropLast().contains("\n"))
    guard case .response(_, .result(let result)) = try message(String(text.dropLast())) else {
      Issue.record("no result")
      return
    }
    #expect(result.member("version")?.unsigned == 1)
    let methods = try #require(result.member("methods"))
    #expect(
      methods.elements.map { $0.member("name")?.string } == Method.allCases.map { name($0) }
    )
    for method in methods.elements {
      #expect(method.member("params")?.member("type")?.string == "object")
      let result = try #require(method.member("result"))
      #expect(result.isNull || result.member("type")?.string == "object")
    }
  }

  @Test("the schema of a method reads as it should")
  func schema() throws {
    let text = written { MessageCatalog.write(to: &$0) }
    let methods = try #require(json(text).member("methods"))
    let unregister = try #require(
      methods.elements.first { $0.member("name")?.stringEquals("cache.unregister") == true }
    )
    #expect(
      unregister.rawText
        == #"{"name":"cache.unregister","direction":"client-to-daemon","role":"member","#
        + #""params":{"type":"object","required":["ids"],"properties":{"ids":{"type":"array","#
        + #""maxItems":62,"items":{"type":"integer","minimum":1,"maximum":2147483647}}}},"#
        + #""result":{"type":"object","required":["removed"],"properties":{"removed":"#
        + #"{"type":"integer","minimum":0,"maximum":9007199254740991}}}}"#
    )
  }

  private static let document = Fixture.folder.deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/PROTOCOL.md")

  @Test(
    "every method stands in the document",
    .enabled(
      if: FileManager.default.fileExists(atPath: MessageCatalogTests.document.path()),
      "docs/PROTOCOL.md is not there"
    )
  )
  func documented() throws {
    let text = try String(contentsOf: MessageCatalogTests.document, encoding: .utf8)
    for method in Method.allCases {
      #expect(text.contains("`\(method.name)"), "\(method.name) is not in docs/PROTOCOL.md")
    }
    for code in ErrorCode.allCases { #expect(text.contains("\(code.rawValue)")) }
  }
}
