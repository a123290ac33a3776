// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKProtocol
import UCMKTestSupport

/// Makes texts from a JSON Schema: right ones at random, and wrong ones in which one single place
/// breaks what the schema says of it.
///
/// Knows as much of JSON Schema as the catalog uses.
struct ProtocolSchemaSamples {
  /// A wrong text and what is wrong with it.
  struct Fault {
    let place: String
    let text: String
  }

  private var random: SplitMix64
  /// Whether every optional member is there; else each is by chance.
  private var isComplete = true
  /// The place that is broken, in the order of the walk, and the text that stands there.
  private var broken: (place: Int, variant: Int)?
  private var place = 0
  private var brokenText: String?

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// A text that keeps to `schema`.
  mutating func right(_ schema: JSONValue) -> String {
    isComplete = Bool.random(using: &random)
    broken = nil
    return text(schema, "")
  }

  /// Every text in which one place breaks `schema` in one way.
  mutating func wrong(_ schema: JSONValue) -> [Fault] {
    isComplete = true
    var faults: [Fault] = []
    var number = 0
    while true {
      var variant = 0
      while true {
        (place, brokenText, broken) = (0, nil, (number, variant))
        let whole = text(schema, "")
        guard let brokenText else { break }
        faults.append(Fault(place: brokenText, text: whole))
        variant += 1
      }
      number += 1
      if number >= place { return faults }
    }
  }

  private mutating func text(_ schema: JSONValue, _ key: String) -> String {
    let here = place
    place += 1
    if let broken, broken.place == here {
      let variants = variants(schema)
      if broken.variant < variants.count {
        let text = variants[broken.variant]
        brokenText = "\(key): \(text)"
        return text
      }
    }
    if schema.bool == true { return "{}" }
    if let first = schema.member("oneOf")?.elements.first(where: { _ in true }) {
      return sample(first, key)
    }
    return sample(schema, key)
  }

  // MARK: - Right

  private mutating func sample(_ schema: JSONValue, _ key: String) -> String {
    if let words = schema.member("enum") {
      let words = words.elements.map(\.rawText)
      // A scope with a path is the one in which every member counts.
      if words.contains("\"cgroup\"") { return "\"cgroup\"" }
      return words.randomElement(using: &random) ?? "\"\""
    }
    switch type(schema) {
    case "integer": return integer(schema, key)
    case "boolean": return Bool.random(using: &random) ? "true" : "false"
    case "string": return string(schema, key)
    case "array": return array(schema, key)
    case "object": return object(schema)
    default: return "null"
    }
  }

  private func type(_ schema: JSONValue) -> String {
    let type = schema.member("type")
    return type?.string ?? type?.elements.first { _ in true }?.string ?? ""
  }

  private func allowsNull(_ schema: JSONValue) -> Bool {
    schema.member("type")?.elements.contains { $0.stringEquals("null") } == true
  }

  private mutating func integer(_ schema: JSONValue, _ key: String) -> String {
    let least = schema.member("minimum")?.unsigned ?? 0
    let most = schema.member("maximum")?.unsigned ?? 1 << 60
    // What a schema cannot say: no more is reclaimable than there is, and max is not below min.
    if key == "reclaimable" || key == "min" { return "\(least)" }
    if key == "max" { return "\(most)" }
    if allowsNull(schema), Bool.random(using: &random) { return "null" }
    return [least, most, UInt64.random(in: least...most, using: &random)]
      .randomElement(using: &random).map { "\($0)" } ?? "0"
  }

  private mutating func string(_ schema: JSONValue, _ key: String) -> String {
    if key == "path" { return "\"/a\"" }
    if let pattern = schema.member("pattern")?.string {
      if pattern.hasPrefix("^0x") { return "\"0x1000\"" }
      return "\"a.\(place)\""
    }
    let least = Int(schema.member("minLength")?.unsigned ?? 0)
    let most = Int(schema.member("maxLength")?.unsigned ?? 200)
    let count = Int.random(in: least...most, using: &random)
    return "\"\(String(repeating: "x", count: count))\""
  }

  private mutating func array(_ schema: JSONValue, _ key: String) -> String {
    guard let items = schema.member("items") else { return "[]" }
    let least = Int(schema.member("minItems")?.unsigned ?? 0)
    let most = Int(schema.member("maxItems")?.unsigned ?? 3)
    let count = broken == nil ? Int.random(in: least...min(most, 5), using: &random) : max(1, least)
    let elements = (0..<count).map { _ in text(items, key + "[]") }
    return "[\(elements.joined(separator: ","))]"
  }

  private mutating func object(_ schema: JSONValue) -> String {
    var members: [String] = []
    let required = schema.member("required")?.elements.map { $0.string ?? "" } ?? []
    if let properties = schema.member("properties") {
      for property in properties.members {
        let key = property.key.string ?? ""
        // The path belongs to the kind of scope that is taken here.
        let isNeeded = required.contains(key) || isComplete || key == "path"
        guard isNeeded || Bool.random(using: &random) else { continue }
        members.append("\"\(key)\":\(text(property.value, key))")
      }
    }
    if let value = schema.member("additionalProperties") {
      members.append("\"extra\":\(text(value, "extra"))")
    }
    return "{\(members.joined(separator: ","))}"
  }

  // MARK: - Wrong

  /// Texts that break `schema` at its top.
  private mutating func variants(_ schema: JSONValue) -> [String] {
    if schema.bool == true { return [] }
    if schema.member("oneOf") != nil { return ["true", "0", "\"\"", "null"] }
    var variants = allowsNull(schema) ? [] : ["null"]
    if schema.member("enum") != nil { return variants + ["7", "\"?\""] }
    switch type(schema) {
    case "integer":
      variants += ["\"1\"", "1.0", "1e1", "true", "-1"]
      if let least = schema.member("minimum")?.unsigned, least > 0 {
        variants.append("\(least - 1)")
      }
      if let most = schema.member("maximum")?.unsigned { variants.append("\(most + 1)") }
    case "boolean": variants += ["0", "\"true\""]
    case "string":
      variants.append("7")
      if schema.member("minLength")?.unsigned == 1 { variants.append("\"\"") }
      if let most = schema.member("maxLength")?.unsigned {
        variants.append("\"\(String(repeating: "x", count: Int(most) + 1))\"")
      }
      if schema.member("pattern") != nil { variants += ["\"\"", "\"_\""] }
    case "array":
      variants += ["{}", "7"]
      if let most = schema.member("maxItems")?.unsigned {
        variants.append("[\(Array(repeating: "1", count: Int(most) + 1).joined(separator: ","))]")
      }
      if schema.member("minItems") != nil { variants.append("[]") }
    case "object": variants += ["7", "[]"] + incomplete(schema)
    default: break
    }
    return variants
  }

  /// The object without one of the members that must be there.
  private mutating func incomplete(_ schema: JSONValue) -> [String] {
    let required = schema.member("required")?.elements.map { $0.string ?? "" } ?? []
    guard let properties = schema.member("properties") else { return [] }
    return required.map { missing in
      let members = properties.members.compactMap { property -> String? in
        let key = property.key.string ?? ""
        guard key != missing, required.contains(key) else { return nil }
        var samples = ProtocolSchemaSamples(seed: 1)
        return "\"\(key)\":\(samples.right(property.value))"
      }
      return "{\(members.joined(separator: ","))}"
    }
  }
}
