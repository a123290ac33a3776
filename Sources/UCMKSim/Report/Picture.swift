// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A run as lines of text: how a test or a person sees a whole timeline at a glance.
package enum Picture {
  private static let heights = Array("▁▂▃▄▅▆▇█")

  /// Values as blocks of eight heights, `columns` wide; each column shows the least of its values.
  ///
  /// - Parameters:
  ///   - values: At equal distances in time.
  ///   - columns: How wide.
  ///   - low: Drawn as the lowest block, as is everything below it.
  ///   - high: Drawn as the highest.
  /// - Returns: One line.
  static func line(_ values: [Double], columns: Int, low: Double, high: Double) -> String {
    String(
      bins(values, columns).map { bin in
        let part = ((bin.min() ?? low) - low) / (high - low)
        let height = Int((part * Double(heights.count)).rounded(.down))
        return heights[min(heights.count - 1, max(0, height))]
      }
    )
  }

  /// The states of a run: each column shows the most urgent of its letters.
  static func states(_ letters: [Character], columns: Int) -> String {
    let urgency: [Character] = ["R", "h", "g", "w"]
    return String(
      bins(letters, columns).map { bin in
        urgency.first(where: bin.contains) ?? "·"
      }
    )
  }

  private static func bins<Value>(_ values: [Value], _ columns: Int) -> [ArraySlice<Value>] {
    let count = min(columns, values.count)
    return (0..<count).map { column in
      values[(values.count * column / count)..<(values.count * (column + 1) / count)]
    }
  }

  /// Available memory up to twice the high mark, all caches, stall, and where the host stood.
  ///
  /// - Parameters:
  ///   - spec: The run.
  ///   - columns: How wide; two minutes over all of it.
  /// - Returns: Four lines with titles of the same width.
  package static func lines(of spec: RunSpec, columns: Int = 60) -> [String] {
    let run = HostRun.run(spec, isSampled: true)
    let samples = run.samples
    let high = run.plant.marks.high
    return [
      "available " + line(samples.map(\.available), columns: columns, low: 0, high: 2 * high),
      "caches    "
        + line(samples.map(\.cache), columns: columns, low: 0, high: run.plant.cacheAtStart),
      "stall     " + line(samples.map { -$0.stall }, columns: columns, low: 0, high: -1),
      "state     " + states(samples.map(\.letter), columns: columns),
    ]
  }
}
