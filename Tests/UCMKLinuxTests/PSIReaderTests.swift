// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

@Suite("PSI text")
struct PSIReaderTests {
  static let text = """
    some avg10=1.53 avg60=0.87 avg300=100.00 total=25672
    full avg10=0.00 avg60=0.09 avg300=0.30 total=18446744073709

    """

  func parse(_ text: String) -> PressureReading? {
    let bytes = Array(text.utf8)
    return PSIReader.parse(bytes.span)
  }

  @Test("reads averages in hundredths and totals in microseconds")
  func whole() {
    #expect(
      parse(PSIReaderTests.text)
        == PressureReading(
          some: PressureLine(
            average10: 153,
            average60: 87,
            average300: 10_000,
            total: TimeSpan(nanoseconds: 25_672_000)
          ),
          full: PressureLine(
            average10: 0,
            average60: 9,
            average300: 30,
            total: TimeSpan(nanoseconds: 18_446_744_073_709_000)
          )
        )
    )
  }

  @Test("a text that is cut anywhere is no reading")
  func cut() {
    let bytes = Array(PSIReaderTests.text.utf8)
    for length in 0..<bytes.count {
      #expect(PSIReader.parse(bytes.span.extracting(0..<length)) == nil, "cut at \(length)")
    }
  }

  @Test(
    "a line of garbage beside a good one is no reading",
    arguments: [
      "", "some", "some ", "\u{0}",
      "some avg10=a avg60=0.00 avg300=0.00 total=1",
      "some avg10=0.0 avg60=0.00 avg300=0.00 total=1",
      "some avg10=0.000 avg60=0.00 avg300=0.00 total=1",
      "some avg10=-1.00 avg60=0.00 avg300=0.00 total=1",
      "some avg10=0 avg60=0 avg300=0 total=1",
      "some avg60=0.00 avg10=0.00 avg300=0.00 total=1",
      "some avg10=0.00 avg60=0.00 avg300=0.00",
      "some avg10=0.00 avg60=0.00 avg300=0.00 total=",
      "full avg10=0.00 avg60=0.00 avg300=0.00 total=1",
      "some avg10=0.00  avg60=0.00 avg300=0.00 total=1",
    ]
  )
  func garbage(line: String) {
    let good = "full avg10=0.00 avg60=0.00 avg300=0.00 total=1"
    #expect(parse("\(line)\n\(good)\n") == nil)
    #expect(parse("\(good)\n\(line)\n") == nil)
  }

  @Test("numbers beyond their range stop at its end")
  func huge() {
    let reading = parse(
      """
      some avg10=99999999999999999999.99 avg60=100.01 avg300=0.00 total=99999999999999999999999
      full avg10=0.00 avg60=0.00 avg300=0.00 total=0

      """
    )
    #expect(reading?.some.average10 == 10_000)
    #expect(reading?.some.average60 == 10_000)
    #expect(reading?.some.total == TimeSpan(nanoseconds: .max))
  }

  @Test("reads the host's file and a cgroup's, and takes an absent one for none")
  func files() throws {
    let tree: FileTree = [
      "proc/pressure/memory": PSIReaderTests.text,
      "cgroup/a/memory.pressure": PSIReaderTests.text,
      "cgroup/empty/memory.pressure": "",
    ]
    #expect(try PSIReader.host(tree.kernel)?.some.average10 == 153)
    #expect(try PSIReader.cgroup("/a", tree.kernel)?.full.average300 == 30)
    #expect(try PSIReader.cgroup("/b", tree.kernel) == nil)
    #expect(try PSIReader.cgroup("/empty", tree.kernel) == nil)
    tree.remove("proc/pressure")
    #expect(try PSIReader.host(tree.kernel) == nil)
  }
}
