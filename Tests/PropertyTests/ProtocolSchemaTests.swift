// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKProtocol
import UCMKTestSupport

@Suite("Schemas and readers say the same")
struct ProtocolSchemaTests {
  /// The schema of the params of `method`, as `rpc.discover` tells it.
  private func schema(_ method: Method) throws -> JSONValue {
    var writer = JSONWriter()
    MessageCatalog.write(to: &writer)
    let answer = try JSONText.parse(writer.bytes, in: 0..<writer.count)
    let methods = try #require(answer.member("methods"))
    let entry = try #require(
      methods.elements.first { $0.member("name")?.stringEquals(method.name) == true }
    )
    return try #require(entry.member("params"))
  }

  @Test("what keeps to the schema is read", arguments: Method.allCases)
  func right(method: Method) throws {
    let schema = try schema(method)
    for seed in 1...25 as ClosedRange<UInt64> {
      var samples = ProtocolSchemaSamples(seed: seed)
      let text = samples.right(schema)
      #expect(throws: Never.self, "\(method), seed \(seed): \(text)") {
        try anyParams(of: method, JSONText.parse(text))
      }
    }
  }

  /// What a client takes from a later daemon although this version's schema does not have it:
  /// words for levels, scopes, topics and notices (`docs/PROTOCOL.md` §4 and §8).
  private func isTolerated(_ place: String, from method: Method) -> Bool {
    guard MessageCatalog.direction(of: method) == .daemonToClient else { return false }
    if place.hasPrefix("scope: {") || place.hasSuffix(": \"?\"") { return true }
    if method == .shrink { return place.hasPrefix("kind:") || place.hasPrefix("path:") }
    // Left out, these are read as nothing special.
    return method == .event
  }

  @Test("what breaks the schema in one place is refused", arguments: Method.allCases)
  func wrong(method: Method) throws {
    var samples = ProtocolSchemaSamples(seed: 7)
    let faults = try samples.wrong(schema(method))
    for fault in faults where !isTolerated(fault.place, from: method) {
      // "params":null never reaches a reader, and an array is refused before it.
      guard fault.text != "null" else { continue }
      #expect(throws: RPCError.self, "\(method), \(fault.place), in \(fault.text)") {
        try anyParams(of: method, JSONText.parse(fault.text))
      }
    }
  }

  @Test("every bound of every schema is tried")
  func count() throws {
    var counts: [String: Int] = [:]
    for method in Method.allCases {
      var samples = ProtocolSchemaSamples(seed: 1)
      counts["\(method.name)"] = try samples.wrong(schema(method)).count
    }
    #expect(counts["ping"] == 3)
    #expect(counts["cache.unregister"] == 15)
    #expect((counts["cache.register"] ?? 0) > 80)
    #expect((counts["shrink"] ?? 0) > 60)
  }
}
