// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl
import UCMKModel

@Suite("numbers as people read them")
struct QuantityTests {
  @Test(
    "a size has one decimal",
    arguments: [
      (0, "0 B"), (1, "1 B"), (1_023, "1023 B"), (1_024, "1.0 KiB"), (1_075, "1.0 KiB"),
      (1_076, "1.1 KiB"), (1_536, "1.5 KiB"), (1_048_524, "1023.9 KiB"),
      (1_048_525, "1.0 MiB"), (1_048_575, "1.0 MiB"), (67_108_864, "64.0 MiB"),
      (1_073_741_824, "1.0 GiB"), (1_610_612_736, "1.5 GiB"),
      (9_007_199_254_740_991, "8192.0 TiB"), (.max, "8388608.0 TiB"), (-2_048, "-2.0 KiB"),
    ] as [(Int64, String)]
  )
  func size(bytes: Int64, text: String) { #expect(Quantity.size(bytes) == text) }

  @Test(
    "a duration has its two largest units",
    arguments: [
      (0, "0 ms"), (-5, "0 ms"), (999, "999 ms"), (1_000, "1 s"), (2_500, "2.5 s"),
      (59_999, "59.9 s"), (60_000, "1m 00s"), (200_000, "3m 20s"), (3_599_999, "59m 59s"),
      (7_500_000, "2h 05m"), (86_400_000, "1d 00h"), (273_600_000, "3d 04h"),
    ] as [(Int64, String)]
  )
  func duration(milliseconds: Int64, text: String) {
    #expect(Quantity.duration(milliseconds: milliseconds) == text)
  }

  @Test(
    "microseconds stay readable",
    arguments: [
      (0, "0 us"), (999, "999 us"), (1_000, "1 ms"), (2_500, "2.5 ms"), (150_000, "150 ms"),
      (1_000_000, "1 s"), (2_000_000, "2 s"), (1_000_000_000, "16m 40s"),
    ] as [(Int64, String)]
  )
  func microseconds(value: Int64, text: String) {
    #expect(Quantity.duration(microseconds: value) == text)
  }

  @Test(
    "hundredths of a percent",
    arguments: [(0, "0.00 %"), (5, "0.05 %"), (1_234, "12.34 %"), (10_000, "100.00 %")]
      as [(Int64, String)]
  )
  func percent(hundredths: Int64, text: String) {
    #expect(Quantity.percent(hundredths: hundredths) == text)
  }

  @Test(
    "thousands are parted",
    arguments: [
      (0, "0"), (999, "999"), (1_000, "1,000"), (1_048_576, "1,048,576"), (-12_345, "-12,345"),
    ] as [(Int64, String)]
  )
  func count(value: Int64, text: String) { #expect(Quantity.count(value) == text) }

  @Test("moments are shown by the calendar")
  func moment() {
    #expect(Quantity.moment(microseconds: 0, in: .utc) == "1970-01-01 00:00:00")
    #expect(
      Quantity.moment(microseconds: 1_795_532_272_999_999, in: .utc) == "2026-11-24 14:57:52"
    )
  }

  @Test("what a terminal would obey becomes a question mark")
  func obeyed() {
    #expect(printable("a\u{1B}[31mb\nc\td\u{7F}\u{9B}e") == "a?[31mb?c?d??e")
    #expect(printable("x\u{202E}y\u{2066}z\u{200F}") == "x?y?z?")
    #expect(printable("grün 日本 😀") == "grün 日本 😀")
  }
}

@Suite("tables")
struct TableTests {
  private var table: Table {
    var table = Table([
      .words("NAME", keeping: .start), .numbers("SIZE"), .numbers("MORE").spare,
      .words("PATH", keeping: .end),
    ])
    table.add(["short", "1", "2", "/a"])
    table.add(["a-name-of-some-length", "12345", "7", "/system.slice/shop.service"])
    return table
  }

  @Test("columns are as wide as their widest cell")
  func natural() {
    #expect(
      table.lines(.plain, width: nil) == [
        "NAME                    SIZE  MORE  PATH",
        "short                      1     2  /a",
        "a-name-of-some-length  12345     7  /system.slice/shop.service",
      ]
    )
  }

  @Test("words give way first, at their end or beginning")
  func narrower() {
    #expect(
      table.lines(.plain, width: 48) == [
        "NAME               SIZE  MORE  PATH",
        "short                 1     2  /a",
        "a-name-of-some..  12345     7  ..ce/shop.service",
      ]
    )
  }

  @Test("then spare columns go, and what is left is as narrow as it gets")
  func narrowest() {
    let expected = [
      "NAME           SIZE  PATH",
      "short             1  /a",
      "a-name-of-..  12345  ..op.service",
    ]
    #expect(table.lines(.plain, width: 33) == expected)
    #expect(table.lines(.plain, width: 10) == expected)
  }

  @Test("colour does not move the columns, and names cannot colour")
  func colour() {
    var table = Table([.words("A"), .numbers("B")])
    table.add([Table.Cell("x", .bad), Table.Cell("\u{1B}[1m", .plain)])
    #expect(
      table.lines(Style(hasColour: true), width: nil) == [
        "\u{1B}[1mA\u{1B}[0m     \u{1B}[1mB\u{1B}[0m", "\u{1B}[1;31mx\u{1B}[0m  ?[1m",
      ]
    )
  }

  @Test("no line ends in spaces")
  func ends() {
    var table = Table([.words("A"), .words("B")])
    table.add(["x", ""])
    table.add(["y", "longer"])
    #expect(table.lines(.plain, width: nil) == ["A  B", "x", "y  longer"])
  }
}

@Suite("the bar of memory")
struct MemoryBarTests {
  @Test("used, available and the watermarks")
  func marks() {
    let bar = MemoryBar(
      total: 4_000,
      available: 1_000,
      marks: [(bytes: 200, letter: "L"), (bytes: 320, letter: "H"), (bytes: 480, letter: "G")]
    )
    #expect(bar.text == "[##############################.....GH.L.]")
  }

  @Test(
    "the ends hold, whatever the daemon says",
    arguments: [
      (0, 0, 40, "."), (100, 0, 40, "#"), (100, 100, 40, "."), (100, 500, 40, "."),
      (100, -5, 40, "#"), (.max, 0, 40, "#"),
    ] as [(Int64, Int64, Int, String)]
  )
  func ends(total: Int64, available: Int64, count: Int, letter: String) {
    let bar = MemoryBar(total: total, available: available, marks: [])
    #expect(bar.text == "[" + String(repeating: letter, count: count) + "]")
  }

  @Test("a mark at nothing available stands in the last cell")
  func last() {
    let bar = MemoryBar(total: 40, available: 40, marks: [(bytes: 0, letter: "L")])
    #expect(bar.text == "[.......................................L]")
  }
}

@Suite("pages")
struct PageTests {
  @Test("what the daemon left out is a dash")
  func dashes() {
    let page = Page()
    #expect(page.size(.null) == "-")
    #expect(page.count("many") == "-")
    #expect(page.duration(.null) == "-")
    #expect(page.microseconds(.null) == "-")
    #expect(page.fraction(.null) == "-")
    #expect(page.moment(.null) == "-")
    #expect(page.word(7) == "-")
    #expect(page.scope(.null) == "-")
  }

  @Test("sizes are plain where that is asked for")
  func raw() {
    #expect(Page(rawBytes: true).size(.integer(1_048_576)) == "1048576")
    #expect(Page(rawBytes: false).size(.integer(1_048_576)) == "1.0 MiB")
  }

  @Test("text is broken between words where there is a width")
  func wrapped() {
    #expect(
      Page(width: 20).wrap("one two three four five", from: 4)
        == ["    one two three", "    four five"]
    )
    #expect(Page().wrap("one two three four five", from: 2) == ["  one two three four five"])
    #expect(
      Page(width: 10).wrap("incomprehensibilities x", from: 2)
        == ["  incomprehensibilities", "  x"]
    )
    #expect(Page(width: 10).wrap("", from: 2) == ["  "])
  }

  @Test(
    "a level has its colour, one of a later version none",
    arguments: [
      ("none", "\u{1B}[32mnone\u{1B}[0m"), ("low", "\u{1B}[33mlow\u{1B}[0m"),
      ("medium", "\u{1B}[1;33mmedium\u{1B}[0m"), ("critical", "\u{1B}[1;31mcritical\u{1B}[0m"),
      ("high", "high"),
    ]
  )
  func levels(word: String, painted: String) {
    let page = Page(style: Style(hasColour: true))
    #expect(page.level(.string(word)) == painted)
  }
}
