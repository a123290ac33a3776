// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// One page with every table, and timelines of every policy; nothing is loaded from elsewhere.
package struct HTMLReport: Sendable {
  /// A table as it is printed, with a title.
  package struct Section: Sendable {
    /// What it shows.
    package var title: String
    /// The table.
    package var lines: [String]

    /// Makes a section.
    package init(title: String, lines: [String]) {
      self.title = title
      self.lines = lines
    }
  }

  /// The tables, in their order.
  package var sections: [Section]
  /// The seed whose timelines are drawn.
  package var seed: UInt64

  /// Makes a report.
  package init(sections: [Section], seed: UInt64) {
    self.sections = sections
    self.seed = seed
  }

  /// The page.
  package var page: String {
    var text = """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width">
      <title>ucmkd: the policy on simulated hosts</title>
      <style>
      \(HTMLReport.style)</style>
      </head>
      <body>
      <h1>The policy on simulated hosts</h1>

      """
    for section in sections {
      text += "<h2>\(Chart.escaped(section.title))</h2>\n<pre>"
      text += Chart.escaped(section.lines.joined(separator: "\n")) + "</pre>\n"
    }
    text += "<h2>Timelines of seed \(seed)</h2>\n" + legend
    for scenario in Scenario.allCases { text += charts(of: scenario) }
    return text + "</body>\n</html>\n"
  }

  private var legend: String {
    let names = PolicyName.allCases.enumerated().map { index, policy in
      "<span class=\"key c\(index)\">\(Chart.escaped(policy.rawValue))</span>"
    }
    return "<p>\(names.joined(separator: " "))</p>\n"
  }

  private func charts(of scenario: Scenario) -> String {
    let runs = PolicyName.allCases.map { policy in
      HostRun.run(RunSpec(scenario: scenario, policy: policy, seed: seed), isSampled: true)
    }
    let marks = PlantMarks(capacity: runs[0].plant.capacity)
    func chart(
      _ name: String,
      _ unit: String,
      high: Double,
      _ value: (RunSample) -> Double
    ) -> Chart {
      var chart = Chart(title: "\(scenario.rawValue): \(name)", high: high, unit: unit)
      for (index, run) in runs.enumerated() {
        let points = run.samples.map { (x: $0.at, y: value($0)) }
        let name = PolicyName.allCases[index].rawValue
        chart.lines.append(Chart.Line(name: name, points: points, colour: index))
      }
      return chart
    }
    var available = chart("available", "GiB", high: 4) { $0.available / gibibyte }
    available.marks = [
      ("low", marks.low / gibibyte), ("high", marks.high / gibibyte),
      ("grow", marks.grow / gibibyte),
    ]
    let most = (runs[0].plant.cacheAtStart / gibibyte).rounded(.up)
    let caches = chart("all caches", "GiB", high: most) { $0.cache / gibibyte }
    let stall = chart("tasks that stall", "%", high: 100) { $0.stall * 100 }
    return "<h3>\(scenario.rawValue)</h3>\n" + available.svg + caches.svg + stall.svg
  }

  private static let style = """
    body { font: 15px/1.4 sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em;
      color: #222; background: #fff; }
    pre { font-size: 12px; overflow-x: auto; }
    svg { display: block; width: 100%; margin: 0 0 .5em; }
    text { font: 11px sans-serif; fill: #555; }
    .title { font-weight: bold; fill: #222; }
    .scale { text-anchor: end; }
    .time { text-anchor: middle; }
    .grid { stroke: #ddd; }
    .mark { stroke: #999; stroke-dasharray: 4 3; }
    .line { fill: none; stroke-width: 1.3; }
    .key { padding: 0 .4em; border-bottom: 3px solid; }
    .c0 { stroke: #888; border-color: #888; }
    .c1 { stroke: #d55e00; border-color: #d55e00; }
    .c2 { stroke: #e69f00; border-color: #e69f00; }
    .c3 { stroke: #56b4e9; border-color: #56b4e9; }
    .c4 { stroke: #0050a0; border-color: #0050a0; stroke-width: 2; }
    .c5 { stroke: #009e73; border-color: #009e73; }
    @media (prefers-color-scheme: dark) {
      body { color: #ddd; background: #181818; }
      text { fill: #aaa; }
      .title { fill: #ddd; }
      .grid { stroke: #333; }
    }

    """
}
