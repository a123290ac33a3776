// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import UCMKControl

/// `make bench`: every figure beside its target, ratios against baselines of the same run.
@main
struct Bench {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    let isShort = arguments.contains("--short")
    let output = value(of: "--output", in: arguments) ?? "bench.json"
    let daemon = value(of: "--daemon", in: arguments)
    var results: [BenchResult] = []
    do {
      let only = value(of: "--only", in: arguments)
      func wants(_ name: String) -> Bool { only == nil || only == name }
      if wants("codec") { results += CodecBench.run(isShort: isShort) }
      if wants("planning") { results += PlanningBench.run(isShort: isShort) }
      if wants("round") { results += try RoundBench.run(isShort: isShort) }
      if wants("record") { results += try RecordBench.run(isShort: isShort) }
      if let daemon, wants("footprint") {
        results += try FootprintBench(daemon).run(isShort: isShort)
      }
    } catch {
      tell("bench: \(error)\n")
      exit(70)
    }
    for line in BenchResult.table(results) { tell("\(line)\n") }
    guard BenchResult.write(results, to: output) else {
      tell("bench: \(output) cannot be written\n")
      exit(71)
    }
    exit(results.allSatisfy(\.isMet) ? 0 : 1)
  }

  private static func value(of option: String, in arguments: [String]) -> String? {
    guard let index = arguments.firstIndex(of: option), index + 1 < arguments.count else {
      return nil
    }
    return arguments[index + 1]
  }

  static func tell(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe write(1, bytes, bytes.count)
  }
}
