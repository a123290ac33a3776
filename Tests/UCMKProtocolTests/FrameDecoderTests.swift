// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKProtocol

@Suite("Frames")
struct FrameDecoderTests {
  /// Everything that comes out of `decoder` now: lines as text, `!` for one above the limit.
  private func drain(_ decoder: inout FrameDecoder) -> [String] {
    var lines: [String] = []
    while let frame = decoder.next() {
      switch frame {
      case .line(let range): lines.append(String(decoding: decoder.bytes[range], as: UTF8.self))
      case .oversized: lines.append("!")
      }
    }
    return lines
  }

  private func lines(_ chunks: [String], limit: Int = 8) -> [String] {
    var decoder = FrameDecoder(limit: limit)
    return chunks.flatMap { chunk in
      decoder.append([UInt8](chunk.utf8))
      return drain(&decoder)
    }
  }

  @Test(
    "LF ends a line, a CR before it goes with it, empty lines do not count",
    arguments: [
      (["a\n"], ["a"]), (["a\r\n"], ["a"]), (["a\r\r\n"], ["a\r"]), (["\n\n\r\na\n\n"], ["a"]),
      (["a\nb\n"], ["a", "b"]), (["a", "b", "\n"], ["ab"]), (["a\r", "\nb\n"], ["a", "b"]),
      (["a\nb", "c\n"], ["a", "bc"]), (["a"], []), (["\r"], []), ([""], []), (["\r\r\n"], ["\r"]),
      (["a\rb\n"], ["a\rb"]), ([" \n"], [" "]),
    ] as [([String], [String])]
  )
  func ends(chunks: [String], expected: [String]) {
    #expect(lines(chunks) == expected)
  }

  @Test(
    "a line above the limit is reported once and reading goes on after its LF",
    arguments: [
      (["12345678\n"], ["12345678"]), (["12345678\r\n"], ["12345678"]),
      (["12345678\r", "\n"], ["12345678"]), (["123456789\na\n"], ["!", "a"]),
      (["123456789", "123456789", "123456789\na\n"], ["!", "a"]),
      (["12345678\rx\na\n"], ["!", "a"]),
      (["12345678", "9", "\n\nb\n"], ["!", "b"]), (["123456789\n123456789\n"], ["!", "!"]),
      (["123456789"], ["!"]), (["12345678"], []), (["12345678\r"], []), (["12345678\r\r"], ["!"]),
      (["a\n123456789", "\n", "b\n"], ["a", "!", "b"]),
    ] as [([String], [String])]
  )
  func oversized(chunks: [String], expected: [String]) {
    #expect(lines(chunks) == expected)
  }

  @Test("a line end is found at every place of a word, and only a line end is one")
  func everyPlace() {
    // The bytes that differ from LF in one bit, and those to which adding or taking one carries.
    let neighbours: [UInt8] = [0x09, 0x0B, 0x8A, 0x0E, 0x1A, 0x00, 0xFF, 0x80, 0x7F]
    for length in 1...40 {
      for filler in neighbours {
        var decoder = FrameDecoder()
        let line = [UInt8](repeating: filler, count: length)
        decoder.append(line + [UInt8(ascii: "\n")] + line)
        #expect(decoder.next() == .line(0..<length))
        #expect(decoder.next() == nil)
        #expect(decoder.pendingCount == length)
        decoder.append([UInt8(ascii: "\n")])
        guard case .line(let rest) = decoder.next() else {
          Issue.record("the second line ends")
          continue
        }
        #expect(Array(decoder.bytes[rest]) == line)
      }
    }
  }

  @Test("a line of the full 65,536 bytes passes and one more byte does not")
  func defaultLimit() {
    let line = String(repeating: "x", count: 65_536)
    #expect(lines([line + "\r\n"], limit: 65_536) == [line])
    #expect(lines([line + "x\n"], limit: 65_536) == ["!"])
    #expect(FrameDecoder().limit == 65_536)
  }

  @Test("a part of a buffer can be taken over")
  func partOfChunk() {
    var decoder = FrameDecoder(limit: 8)
    decoder.append([UInt8]("xxab\nyy".utf8), in: 2..<5)
    #expect(drain(&decoder) == ["ab"])
    #expect(decoder.pendingCount == 0)
  }

  @Test("a drained decoder keeps little, a waiting one what it waits with")
  func restingCapacity() {
    var decoder = FrameDecoder()
    #expect(decoder.bytes.capacity == 0)
    decoder.append([UInt8](repeating: UInt8(ascii: "x"), count: 60_000))
    #expect(drain(&decoder) == [])
    #expect(decoder.pendingCount == 60_000)
    decoder.append([UInt8]("\n".utf8))
    #expect(drain(&decoder).count == 1)
    #expect(decoder.bytes.capacity <= FrameDecoder.restingCapacity)
    decoder.append([UInt8]("{}\n".utf8))
    #expect(drain(&decoder) == ["{}"])
    let capacity = decoder.bytes.capacity
    for _ in 0..<100 {
      decoder.append([UInt8]("{}\n".utf8))
      #expect(drain(&decoder) == ["{}"])
    }
    #expect(decoder.bytes.capacity == capacity)
  }

  @Test("a peer that never sends an LF costs no memory")
  func endlessLine() {
    var decoder = FrameDecoder(limit: 1_000)
    var reports = 0
    for _ in 0..<100 {
      decoder.append([UInt8](repeating: UInt8(ascii: "x"), count: 4_096))
      while decoder.next() != nil { reports += 1 }
      #expect(decoder.pendingCount == 0)
    }
    #expect(reports == 1)
    #expect(decoder.bytes.capacity <= FrameDecoder.restingCapacity)
  }

  @Test("lines may wait in the decoder while more comes")
  func backlog() {
    var decoder = FrameDecoder(limit: 8)
    var expected: [String] = []
    var taken: [String] = []
    for number in 0..<1_000 {
      expected += ["a\(number)", "b\(number)"]
      decoder.append([UInt8]("a\(number)\nb\(number)\n".utf8))
      if number % 3 != 0, case .line(let range) = decoder.next() {
        taken.append(String(decoding: decoder.bytes[range], as: UTF8.self))
      }
    }
    #expect(taken + drain(&decoder) == expected)
  }

  @Test("resting in the middle of a line loses nothing")
  func restInLine() {
    var decoder = FrameDecoder(limit: 8)
    decoder.append([UInt8]("ab".utf8))
    decoder.rest()
    #expect(drain(&decoder) == [])
    decoder.append([UInt8]("c\n".utf8))
    #expect(drain(&decoder) == ["abc"])
  }

  @Test("a decoder that was made with room keeps it through a long message")
  func roomBeforehand() {
    var decoder = FrameDecoder(limit: 65_536, resting: 8_192)
    let capacity = decoder.bytes.capacity
    #expect(capacity >= 8_192)
    for count in [10, 8_000, 60_000, 10] {
      decoder.append([UInt8](repeating: UInt8(ascii: "x"), count: count) + [UInt8(ascii: "\n")])
      #expect(drain(&decoder).map(\.utf8.count) == [count])
      #expect(decoder.bytes.capacity >= 8_192)
      #expect(decoder.bytes.capacity <= 16_384)
    }
  }

  // MARK: - Lent buffers

  /// Everything that comes of `chunks` when they are read in place, and what the decoder keeps.
  private func lent(_ chunks: [String], limit: Int = 8) -> (lines: [String], kept: Int) {
    var decoder = FrameDecoder(limit: limit)
    var buffer = [UInt8](repeating: UInt8(ascii: "\n"), count: 32)
    var lines: [String] = []
    for chunk in chunks {
      buffer.replaceSubrange(0..<chunk.utf8.count, with: chunk.utf8)
      decoder.lend(&buffer, filled: chunk.utf8.count)
      lines += drain(&decoder)
      decoder.takeBack(&buffer)
      #expect(buffer.count == 32)
      #expect(buffer.starts(with: chunk.utf8))
    }
    return (lines, decoder.bytes.capacity)
  }

  @Test("whole lines are read where they were received, and nothing is kept")
  func lentWhole() {
    let (lines, kept) = lent(["a\nb\r\n", "\n", "c\n"])
    #expect(lines == ["a", "b", "c"])
    #expect(kept == 0)
  }

  @Test(
    "what a lent buffer does not end waits for its rest",
    arguments: [
      (["a\nb", "c\n"], ["a", "bc"]), (["a", "b", "c\nd\n"], ["abc", "d"]),
      (["a\r", "\n"], ["a"]), (["a\nb", "c", "d\ne\n", "f\n"], ["a", "bcd", "e", "f"]),
      (["123456789", "123\na\n"], ["!", "a"]), (["a\n123456789", "1", "\nb\n"], ["a", "!", "b"]),
      (["1234567", "89\na", "b\n"], ["!", "ab"]), (["12345678", "\n"], ["12345678"]),
    ] as [([String], [String])]
  )
  func lentParts(chunks: [String], expected: [String]) {
    #expect(lent(chunks).lines == expected)
  }

  @Test("lines of a lent buffer that were not read are read after it was taken back")
  func lentUnread() {
    var decoder = FrameDecoder(limit: 8)
    var buffer = [UInt8]("a\nb\nc\nd".utf8)
    decoder.lend(&buffer, filled: 7)
    #expect(decoder.next() == .line(0..<1))
    #expect(decoder.pendingCount == 5)
    decoder.rest()
    decoder.takeBack(&buffer)
    #expect(buffer == [UInt8]("a\nb\nc\nd".utf8))
    #expect(decoder.pendingCount == 5)
    #expect(drain(&decoder) == ["b", "c"])
    buffer = [UInt8]("e\n".utf8)
    decoder.lend(&buffer, filled: 2)
    #expect(drain(&decoder) == ["de"])
    decoder.takeBack(&buffer)
    #expect(buffer == [UInt8]("e\n".utf8))
    #expect(decoder.pendingCount == 0)
  }

  @Test("taking back what was not lent changes nothing")
  func takeBackTwice() {
    var decoder = FrameDecoder(limit: 8)
    var buffer = [UInt8]("a\n".utf8)
    decoder.takeBack(&buffer)
    #expect(buffer == [UInt8]("a\n".utf8))
    decoder.append([UInt8]("ab".utf8))
    decoder.takeBack(&buffer)
    decoder.append([UInt8]("c\n".utf8))
    #expect(drain(&decoder) == ["abc"])
  }
}
