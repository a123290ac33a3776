// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

/// Kernel files are read while they change, in containers that fake them, and with `--proc` from
/// anywhere: no text may do more than give no reading.
@Suite("parsers, on anything")
struct ParserPropertyTests {
  /// A text that each parser takes something from.
  static let texts: [String] = [
    PSIReaderTests.text, MemInfoReaderTests.meminfo, MemInfoReaderTests.vmstat,
    CgroupMountTests.hybrid, ProcessReaderTests.status, ProcessReaderTests.smaps,
    "42 (a) b) S 1 42 42 0 -1 4194560 10 0 0 0 1 2 0 0 20 0 1 0 987654 1000 20 99\n",
    "inactive_file 50\nslab_reclaimable 10\npgscan 7\nworkingset_refault_file 1\n",
    "Node 0, zone DMA\n  high     13\n", "9:x:/y\n0::/system.slice/foo.service\n", "42\n", "max\n",
  ]

  /// Runs every parser on a text, and checks what holds for any text.
  private func parseAll(_ bytes: [UInt8], _ note: Comment) {
    let text = bytes.span
    if let pressure = PSIReader.parse(text) {
      for line in [pressure.some, pressure.full] {
        let highest = max(line.average10, line.average60, line.average300)
        #expect(highest <= 10_000, note)
      }
    }
    if let path = CgroupMount.parse(text) { #expect(path.utf8.count <= bytes.count, note) }
    if let path = PeerCgroup.parse(text) { #expect(CgroupPath.isValid(path), note) }
    _ = MemInfoReader.parse(text)
    _ = MemInfoReader.parseCounters(text)
    _ = ZoneInfoReader.parse(text)
    _ = CgroupMemoryReader.parseStatistics(text)
    _ = CgroupMemoryReader.parseLimit(text)
    _ = ProcessReader.parseResident(text)
    _ = ProcessReader.parseLazyFree(text)
    _ = ProcessReader.parseStartTime(text)
    _ = ProcessReader.parseSoleMember(text)
  }

  @Test("a text that is cut anywhere traps nowhere", arguments: texts)
  func cut(text: String) {
    let bytes = Array(text.utf8)
    for length in 0...bytes.count { parseAll(Array(bytes[..<length]), "cut at \(length)") }
  }

  @Test("a text with bytes changed, lost or doubled traps nowhere", arguments: [1, 2, 3, 4_711])
  func mutated(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for round in 0..<400 {
      var bytes = Array(
        ParserPropertyTests.texts[random.below(ParserPropertyTests.texts.count)].utf8
      )
      for _ in 0..<(1 + random.below(6)) where !bytes.isEmpty {
        let place = random.below(bytes.count)
        switch random.below(4) {
        case 0: bytes[place] = UInt8(random.below(256))
        case 1: bytes.remove(at: place)
        case 2: bytes.insert(contentsOf: bytes[place...].prefix(random.below(40)), at: place)
        default: bytes.insert(contentsOf: Array("99999999999999999999".utf8), at: place)
        }
      }
      parseAll(bytes, "seed \(seed), round \(round)")
    }
  }

  @Test("noise traps nowhere", arguments: [5, 6, 7])
  func noise(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let alphabet = Array("some avg10=full total:kB\n\t ()/.\\0123456789-\u{0}ä".utf8)
    for round in 0..<400 {
      let bytes = (0..<random.below(200)).map { _ in alphabet[random.below(alphabet.count)] }
      parseAll(bytes, "seed \(seed), round \(round)")
    }
  }

  @Test("Base64 gives back what was put in, for any bytes", arguments: [8, 9])
  func base64(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for round in 0..<300 {
      let bytes = (0..<random.below(64)).map { _ in UInt8(random.below(256)) }
      #expect(Base64.decode(encode(bytes)) == bytes, "seed \(seed), round \(round)")
    }
  }

  /// RFC 4648 §4, the other way round.
  private func encode(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = Array(bytes[start..<min(start + 3, bytes.count)])
      var bits: UInt32 = 0
      for index in 0..<3 { bits = bits << 8 | (index < group.count ? UInt32(group[index]) : 0) }
      for index in 0..<4 {
        let sextet = Int(bits >> (18 - 6 * UInt32(index)) & 63)
        text.append(index <= group.count ? alphabet[sextet] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}

extension SplitMix64 {
  /// A number from 0 to `limit` - 1; 0 where the limit is 0.
  fileprivate mutating func below(_ limit: Int) -> Int {
    limit > 0 ? Int(next() % UInt64(limit)) : 0
  }
}
