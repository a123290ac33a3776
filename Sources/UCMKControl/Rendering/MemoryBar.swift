// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// How much of a memory is used, and where the watermarks are, in 40 characters.
///
///     [###########################..G.H..L.....]
///
/// `#` is used, `.` is available; a letter stands where the use would be if just so much were
/// available.
package struct MemoryBar {
  /// The bar with its brackets.
  package let text: String

  private static let cells: Int64 = 40

  /// Makes a bar.
  ///
  /// - Parameters:
  ///   - total: Bytes; without any the bar is empty.
  ///   - available: Bytes of these that are available.
  ///   - marks: Available bytes at which a letter stands; a later one hides an earlier one.
  package init(total: Int64, available: Int64, marks: [(bytes: Int64, letter: String)]) {
    var cells = [String](repeating: ".", count: Int(MemoryBar.cells))
    if total > 0 {
      for cell in 0..<MemoryBar.cell(of: available, in: total) { cells[cell] = "#" }
      for mark in marks {
        let cell = MemoryBar.cell(of: mark.bytes, in: total)
        cells[min(cell, cells.count - 1)] = mark.letter
      }
    }
    text = "[" + cells.joined() + "]"
  }

  /// The number of cells that are used while `available` bytes are available.
  private static func cell(of available: Int64, in total: Int64) -> Int {
    let used = total - min(max(0, available), total)
    // Per mille first: 40 × a size at the wire's maximum still fits, but a wild one would not.
    let product = used.multipliedReportingOverflow(by: cells)
    return Int(product.overflow ? used / (total / cells) : product.partialValue / total)
  }
}
