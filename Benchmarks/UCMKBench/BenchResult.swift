// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKControl
import UCMKModel

/// One figure beside its target: the form of every `build/*.json` of the project.
struct BenchResult {
  let name: String
  /// In thousandths of the unit, so that nothing is lost to rounding.
  let thousandths: Int64
  let unit: String
  /// What it is compared with, and how it compares, in thousandths.
  var baseline: String?
  var ratio: Int64?
  /// What is wanted, in words; stated here and nowhere else.
  let target: String
  let isMet: Bool
  var note: String?

  var json: JSONValue {
    .object(
      skippingNull: [
        ("name", .string(name)),
        ("value", .number(BenchResult.decimal(thousandths))),
        ("unit", .string(unit)),
        ("baseline", baseline.map { .string($0) } ?? .null),
        ("ratio", ratio.map { .number(BenchResult.decimal($0)) } ?? .null),
        ("target", .string(target)),
        ("ok", .bool(isMet)),
        ("note", note.map { .string($0) }),
      ]
    )
  }

  static func table(_ results: [BenchResult]) -> [String] {
    var table = Table([
      .words("measure"), .numbers("value"), .words("unit"), .numbers("ratio"), .words("against"),
      .words("target"), .words("met"),
    ])
    for result in results {
      table.add([
        Table.Cell(result.name), Table.Cell(decimal(result.thousandths)), Table.Cell(result.unit),
        Table.Cell(result.ratio.map(decimal) ?? ""), Table.Cell(result.baseline ?? ""),
        Table.Cell(result.target), Table.Cell(result.isMet ? "yes" : "NO"),
      ])
    }
    return table.lines(.plain, width: nil)
  }

  static func write(_ results: [BenchResult], to path: String) -> Bool {
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
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { return false }
    defer { _ = close(file) }
    let bytes = Array((document.document + "\n").utf8)
    return unsafe Glibc.write(file, bytes, bytes.count) == bytes.count
  }

  private static func decimal(_ thousandths: Int64) -> String {
    let digits = String(thousandths % 1_000)
    let fraction = String(repeating: "0", count: 3 - digits.count) + digits
    return "\(thousandths / 1_000).\(fraction)"
  }
}

/// The middle of several measurements.
func median(_ values: [UInt64]) -> UInt64 { values.sorted()[values.count / 2] }
