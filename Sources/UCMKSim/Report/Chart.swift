// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// A chart of lines over time as SVG.
struct Chart: Sendable {
  /// One line.
  struct Line: Sendable {
    var name: String
    var points: [(x: Double, y: Double)]
    /// The number of its colour; lines of one policy have the same in every chart.
    var colour: Int
  }

  var title: String
  /// The bounds of what is drawn.
  var width = 120.0, low = 0.0, high: Double
  var unit: String
  var lines: [Line] = []
  /// Heights with names, drawn across.
  var marks: [(name: String, y: Double)] = []

  private static let pixels = (width: 720.0, height: 180.0, left: 56.0, top: 24.0, bottom: 20.0)

  /// The chart as an element of a page.
  var svg: String {
    let pixels = Chart.pixels
    var text = "<svg viewBox=\"0 0 \(fixed(pixels.width, 0)) \(fixed(pixels.height, 0))\" "
    text += "role=\"img\" aria-label=\"\(Chart.escaped(title))\">\n"
    text += label(title, x: pixels.left, y: 14, kind: "title")
    for step in 0...4 {
      let value = low + (high - low) * Double(step) / 4
      text += rule(at: value, kind: "grid")
      text += label(fixed(value, 1), x: pixels.left - 6, y: y(value) + 4, kind: "scale")
    }
    text += label(unit, x: pixels.left - 6, y: 14, kind: "scale")
    for second in stride(from: 0.0, through: width, by: width / 6) {
      text += label("\(fixed(second, 0)) s", x: x(second), y: pixels.height - 4, kind: "time")
    }
    for mark in marks where mark.y > low && mark.y < high {
      text += rule(at: mark.y, kind: "mark")
      text += label(mark.name, x: pixels.width - 4, y: y(mark.y) - 3, kind: "scale")
    }
    for line in lines { text += polyline(line) }
    return text + "</svg>\n"
  }

  private func polyline(_ line: Line) -> String {
    let points = line.points.map { "\(fixed(x($0.x), 1)),\(fixed(y($0.y), 1))" }
    return "<polyline class=\"line c\(line.colour)\" points=\"\(points.joined(separator: " "))\">"
      + "<title>\(Chart.escaped(line.name))</title></polyline>\n"
  }

  private func rule(at value: Double, kind: String) -> String {
    let height = fixed(y(value), 1)
    let (left, right) = (fixed(Chart.pixels.left, 0), fixed(Chart.pixels.width, 0))
    return "<line class=\"\(kind)\" x1=\"\(left)\" x2=\"\(right)\" y1=\"\(height)\" "
      + "y2=\"\(height)\"/>\n"
  }

  private func label(_ text: String, x: Double, y: Double, kind: String) -> String {
    "<text class=\"\(kind)\" x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\">"
      + "\(Chart.escaped(text))</text>\n"
  }

  private func x(_ value: Double) -> Double {
    Chart.pixels.left + value / width * (Chart.pixels.width - Chart.pixels.left)
  }

  private func y(_ value: Double) -> Double {
    let part = (min(high, max(low, value)) - low) / (high - low)
    let room = Chart.pixels.height - Chart.pixels.top - Chart.pixels.bottom
    return Chart.pixels.top + (1 - part) * room
  }

  /// `text` as it stands in a page.
  static func escaped(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
    return result
  }
}
