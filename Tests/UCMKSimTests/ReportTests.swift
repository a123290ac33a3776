// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl

@testable import UCMKSim

@Suite("Pictures")
struct PictureTests {
  @Test("each column shows the least of its values in eight heights")
  func line() {
    let values: [Double] = [0, 1, 2, 3, 4, 5, 6, 7]
    #expect(Picture.line(values, columns: 8, low: 0, high: 8) == "▁▂▃▄▅▆▇█")
    #expect(Picture.line(values, columns: 4, low: 0, high: 8) == "▁▃▅▇")
    #expect(Picture.line([-9, 99], columns: 2, low: 0, high: 8) == "▁█")
    #expect(Picture.line([], columns: 4, low: 0, high: 8) == "")
    #expect(Picture.line([0, 8], columns: 9, low: 0, high: 8) == "▁█")
  }

  @Test("each column shows the most urgent of its states")
  func states() {
    #expect(Picture.states(Array("··wwRhgg··"), columns: 5) == "·wRg·")
    #expect(Picture.states(Array("hR"), columns: 1) == "R")
  }

  @Test("a ramp where nobody is asked, as a picture")
  func none() {
    let spec = RunSpec(scenario: .ramp, policy: .none, seed: 1, isAligned: true)
    #expect(
      Picture.lines(of: spec, columns: 24) == [
        "available ▇▆▅▄▃▂▁▁▁▁▁▁▁▁▁▁▁▁▆▆▆▆▆▆",
        "caches    ████████████████████████",
        "stall     ▁▁▁▁▁▁▂▇██████████▇▁▁▁▁▁",
        "state     ························",
      ]
    )
  }

  @Test("the core goes through its states in a ramp")
  func core() {
    let spec = RunSpec(scenario: .ramp, policy: .ucmkd, seed: 1)
    let lines = Picture.lines(of: spec, columns: 120)
    #expect(lines.allSatisfy { $0.count == 130 })
    #expect(lines[2] == "stall     " + String(repeating: "▁", count: 120))
    let states = lines[3].dropFirst(10)
    #expect(states.first == "·" && states.contains("R") && states.contains("h"))
    #expect(lines == Picture.lines(of: spec, columns: 120))
  }
}

@Suite("Pages")
struct PageTests {
  @Test("a chart has its lines, marks and scales within its frame")
  func chart() {
    var chart = Chart(title: "a < b", high: 4, unit: "GiB")
    chart.lines = [Chart.Line(name: "x", points: [(0, 0), (60, 2), (120, 9)], colour: 3)]
    chart.marks = [("low", 1), ("beyond", 9)]
    let svg = chart.svg
    #expect(svg.hasPrefix("<svg viewBox=\"0 0 720 180\" role=\"img\" aria-label=\"a &lt; b\">"))
    #expect(svg.contains("points=\"56.0,160.0 388.0,92.0 720.0,24.0\""))
    #expect(svg.contains("class=\"line c3\""))
    #expect(svg.contains(">low</text>") && !svg.contains("beyond"))
    #expect(svg.hasSuffix("</svg>\n"))
  }

  @Test("what a page must not hold is escaped")
  func escaping() {
    #expect(Chart.escaped("a<b>&\"c\"") == "a&lt;b&gt;&amp;&quot;c&quot;")
  }

  @Test("the page holds every table and chart and loads nothing from elsewhere")
  func page() {
    let sections = [
      HTMLReport.Section(title: "One & two", lines: ["a <b>", "c"]),
      HTMLReport.Section(title: "Three", lines: ["d"]),
    ]
    let page = HTMLReport(sections: sections, seed: 2).page
    #expect(page.hasPrefix("<!doctype html>\n<html lang=\"en\">\n"))
    #expect(page.hasSuffix("</body>\n</html>\n"))
    #expect(page.contains("<h2>One &amp; two</h2>\n<pre>a &lt;b&gt;\nc</pre>"))
    #expect(page.split(separator: "<svg ").count == 13, "four scenarios with three charts each")
    #expect(page.split(separator: "<polyline ").count == 73)
    for word in ["http:", "https:", "src=", "<script", "@import", "url("] {
      #expect(!page.contains(word), "\(word)")
    }
    #expect(page == HTMLReport(sections: sections, seed: 2).page)
  }
}

@Suite("Targets of the policy")
struct TargetTests {
  /// A study in which the core reached what is given and the others what is needed to compare.
  private func table(relief: Double, over: Double, cache: Double, asks: Int = 10) -> StudyTable {
    var outcomes: [RunOutcome] = []
    for spec in StudyTable.specs(seeds: 1) {
      var outcome = RunOutcome(spec)
      outcome.cache = spec.policy == .oracle ? 7 * gibibyte : 6 * gibibyte
      outcome.over = 100 * mebibyte
      if spec.policy == .ucmkd {
        outcome.relief = relief
        outcome.over = over * mebibyte
        outcome.cache = cache * gibibyte
        outcome.asks = asks
      }
      outcomes.append(outcome)
    }
    return StudyTable(outcomes)
  }

  @Test("a study that reaches everything meets all its targets")
  func met() {
    let results = Targets.results(of: table(relief: 0.45, over: 0, cache: 6.66, asks: 60))
    #expect(results.count == 14)
    #expect(results.filter { !$0.isMet } == [])
  }

  @Test(
    "each target is missed by a little more",
    arguments: [
      (0.46, 0.0, 6.66, 60, 3), (0.45, 1, 6.66, 60, 3), (0.45, 0, 6.64, 60, 1),
      (0.45, 0, 6.66, 61, 1), (0.45, 301, 5.9, 60, 7),
    ]
  )
  func missed(relief: Double, over: Double, cache: Double, asks: Int, count: Int) {
    let results = Targets.results(
      of: table(relief: relief, over: over, cache: cache, asks: asks)
    )
    #expect(results.count { !$0.isMet } == count)
  }

  @Test("a study without the core has no results")
  func empty() {
    #expect(Targets.results(of: StudyTable([])).isEmpty)
    #expect(Targets.results(of: MixStudy(rows: [])).isEmpty)
    #expect(Targets.results(of: [LiarRow]()).isEmpty)
  }

  private func row(_ policy: MixPolicy, _ part: Double, _ loss: Double, _ high: Double) -> MixRow {
    MixRow(
      policy: policy,
      part: part,
      loss: loss,
      lossHigh: high,
      leastKept: 0,
      jain: 1,
      freed: 1
    )
  }

  @Test("splits are judged by measured costs at 30 % and by declared ones at 10 %")
  func mixes() {
    let rows = [
      row(.vouched, 0.3, 1.5, 9), row(.kernelLRU, 0.3, 3, 9), row(.declared, 0.1, 9, 20),
      row(.kernelLRU, 0.1, 9, 16),
    ]
    let results = Targets.results(of: MixStudy(rows: rows))
    #expect(results.map(\.isMet) == [true, false])
    #expect(results[0].ratio == 0.5 && results[0].baseline == "kernel-like LRU 3.00")
    #expect(results[1].ratio == 1.25)
  }

  @Test("liars are judged after 20 rounds")
  func liars() {
    let rows = [
      LiarRow(lie: .topCost, vouched: true, gain: 1, gainMost: 1, afterRounds: .nan),
      LiarRow(lie: .topCost, vouched: false, gain: 1, gainMost: 1, afterRounds: 0.05),
      LiarRow(lie: .hidesHalf, vouched: false, gain: 0, gainMost: 0, afterRounds: 0.06),
    ]
    #expect(Targets.results(of: rows).map(\.isMet) == [true, false])
  }

  @Test("fleets are judged as if there were two processors and 10,000 host-days")
  func fleet() {
    #expect(Targets.result(processorSeconds: 12, hostDays: 100).value == 10)
    #expect(Targets.result(processorSeconds: 12, hostDays: 100).isMet)
    #expect(!Targets.result(processorSeconds: 12.1, hostDays: 100).isMet)
  }

  @Test("results have the form of every file of the project")
  func form() throws {
    let results = Targets.results(of: table(relief: 0.5, over: 0, cache: 6))
    let document = SimResult.document(results)
    let value = try JSONValue(parsing: document)
    #expect(value["host"]["processors"].integer ?? 0 > 0)
    let first = value["results"].items[1]
    #expect(first["name"].string == "ramp: longest below the low mark")
    #expect(first["unit"].string == "s" && first["target"].string == "<= 0.45")
    #expect(first["ok"].bool == false && first["baseline"].isNull)
    #expect(first.line.contains(#""value":0.5000"#))
    #expect(value["results"].items.count == results.count)
    let lines = SimResult.lines(results)
    #expect(lines.count == results.count + 1)
    #expect(lines[2].hasSuffix("NO") && lines[1].hasSuffix("yes"))
  }
}
