// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKProtocol
import UCMKTestSupport

@Suite("Schemas and readers say the same")
struct ProtocolSchemaTests {
  /// What `rpc.discover` answers, written once.
  private static let catalog: [UInt8] = {
    var writer = JSONWriter()
    MessageCatalog.write(to: &writer)
    return writer.bytes
  }()

  /// The schema of the params of `method`.
  private func schema(_ method: Method) throws -> JSONValue {
    let catalog = ProtocolSchemaTests.catalog
    let methods = try #require(JSONText.parse(catalog, in: 0..<catalog.count).member("methods"))
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
  private func isTolerated(_ fault: ProtocolSchemaSamples.Fault, from method: Method) -> Bool {
    guard MessageCatalog.direction(of: method) == .daemonToClient else { return false }
    if fault.place.hasSuffix(": \"?\"") { return true }
    switch method {
    case .shrink:
      // Where memory is short is told for people; a client acts without.
      return ["scope: {", "kind:", "path:"].contains { fault.place.hasPrefix($0) }
        || !fault.text.contains("\"scope\"")
    case .event:
      // A time or count that is left out is zero.
      return !fault.text.contains("\"monotonic_ns\"") || !fault.text.contains("\"dropped\"")
    default: return false
    }
  }

  @Test("what breaks the schema in one place is refused", arguments: Method.allCases)
  func wrong(method: Method) throws {
    var samples = ProtocolSchemaSamples(seed: 7)
    let faults = try samples.wrong(schema(method))
    for fault in faults where !isTolerated(fault, from: method) {
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
    #expect(counts["cache.unregister"] == 16)
    #expect((counts["cache.register"] ?? 0) > 80)
    #expect((counts["shrink"] ?? 0) > 60)
  }
}
