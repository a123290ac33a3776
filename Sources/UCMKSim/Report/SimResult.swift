// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKControl

/// One figure beside its target: the form of every `build/*.json` of the project.
package struct SimResult: Sendable, Equatable {
  /// What it is, its value and the unit.
  package let name: String, value: Double, unit: String
  /// What it is compared with, and value over that.
  package var baseline: String?, ratio: Double?
  /// What is wanted, in words; stated here and nowhere else.
  package let target: String
  /// Whether it is reached.
  package let isMet: Bool
  /// What else there is to say.
  package var note: String?

  /// A figure that must not be above `limit`.
  static func atMost(_ limit: Double, _ name: String, _ value: Double, _ unit: String) -> SimResult
  {
    let digits = limit == limit.rounded() ? 0 : 2
    return SimResult(
      name: name,
      value: value,
      unit: unit,
      target: "<= \(fixed(limit, digits))",
      isMet: value <= limit + 1e-9
    )
  }

  /// A figure compared with another one of the same run; `ratio` is that of the two where pairs of
  /// runs say nothing better.
  static func compared(
    _ name: String,
    _ value: Double,
    _ unit: String,
    with baseline: (name: String, value: Double),
    isBetter: Bool,
    ratio: Double? = nil,
    target: String
  ) -> SimResult {
    var result = SimResult(
      name: name,
      value: value,
      unit: unit,
      target: target,
      isMet: isBetter
    )
    result.baseline = "\(baseline.name) \(fixed(baseline.value, 2))"
    result.ratio = ratio ?? (baseline.value > 0 ? value / baseline.value : nil)
    return result
  }

  private init(name: String, value: Double, unit: String, target: String, isMet: Bool) {
    self.name = name
    self.value = value
    self.unit = unit
    self.target = target
    self.isMet = isMet
  }

  /// The results as a table for people.
  package static func lines(_ results: [SimResult]) -> [String] {
    var table = Table([
      .words("measure"), .numbers("value"), .words("unit"), .words("target"),
      .words("against"), .numbers("ratio"), .words("met"),
    ])
    for result in results {
      table.add([
        Table.Cell(result.name), Table.Cell(fixed(result.value, 2)), Table.Cell(result.unit),
        Table.Cell(result.target), Table.Cell(result.baseline ?? ""),
        Table.Cell(result.ratio.map { fixed($0, 3) } ?? ""),
        Table.Cell(result.isMet ? "yes" : "NO"),
      ])
    }
    return table.lines(.plain, width: nil)
  }

  /// The results as the document of `build/sim.json`.
  package static func document(_ results: [SimResult]) -> String {
    var name = utsname()
    unsafe uname(&name)
    let release = unsafe withUnsafePointer(to: &name.release) { pointer in
      unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 65) { unsafe String(cString: $0) }
    }
    let document: JSONValue = [
      "host": [
        "kernel": .string(release),
        "processors": .integer(Int64(sysconf(Int32(_SC_NPROCESSORS_ONLN)))),
      ],
      "results": .array(results.map(\.json)),
    ]
    return document.document + "\n"
  }

  /// One result of the document.
  var json: JSONValue {
    .object(
      skippingNull: [
        ("name", .string(name)),
        ("value", value.isFinite ? .number(fixed(value, 4)) : .null),
        ("unit", .string(unit)),
        ("baseline", baseline.map { .string($0) } ?? .null),
        ("ratio", ratio.map { .number(fixed($0, 4)) } ?? .null),
        ("target", .string(target)),
        ("ok", .bool(isMet)),
        ("note", note.map { .string($0) }),
      ]
    )
  }
}
