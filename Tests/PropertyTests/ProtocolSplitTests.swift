// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKProtocol
import UCMKTestSupport

@Suite("Frames, however they arrive")
struct ProtocolSplitTests {
  @Test("every golden message is read the same when it is split at any byte")
  func everySplit() throws {
    let lines = try ProtocolFixtures.lines()
    #expect(lines.count >= 41)
    for line in lines {
      let bytes = [UInt8](line.utf8)
      let expected = String(line.dropLast())
      for split in 0...bytes.count {
        var decoder = FrameDecoder()
        decoder.append(bytes, in: 0..<split)
        var read = drain(&decoder)
        decoder.append(bytes, in: split..<bytes.count)
        read += drain(&decoder)
        #expect(read == [expected], "split at \(split)")
      }
    }
  }

  @Test("all golden messages in one stream, byte by byte, with CR LF and empty lines between")
  func byteByByte() throws {
    let lines = try ProtocolFixtures.lines().map { String($0.dropLast()) }
    var decoder = FrameDecoder()
    var read: [String?] = []
    for byte in lines.joined(separator: "\r\n\n\r\n").utf8 + [UInt8(ascii: "\n")] {
      decoder.append([byte])
      read += drain(&decoder)
    }
    #expect(read == lines)
    #expect(decoder.bytes.capacity <= FrameDecoder.restingCapacity)
  }

  @Test(
    "random chunks of random lines, some above the limit",
    arguments: 1...20 as ClosedRange<UInt64>
  )
  func randomChunks(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let limit = 64
    var expected: [String?] = []
    var stream: [UInt8] = []
    for _ in 0..<200 {
      let count = Int.random(in: 0...limit + 16, using: &random)
      let line = String(
        (0..<count).map { _ in Character(Unicode.Scalar(UInt8.random(in: 97...122, using: &random)))
        }
      )
      stream += [UInt8](line.utf8)
      stream += Bool.random(using: &random) ? [13, 10] : [10]
      if count > 0 { expected.append(count <= limit ? line : nil) }
    }
    var decoder = FrameDecoder(limit: limit), reader = FrameDecoder(limit: limit)
    var read: [String?] = [], readInPlace: [String?] = []
    var position = 0
    while position < stream.count {
      let end = min(stream.count, position + Int.random(in: 1...200, using: &random))
      decoder.append(stream, in: position..<end)
      var chunk = Array(stream[position..<end])
      reader.lend(&chunk, filled: chunk.count)
      readInPlace += drain(&reader)
      reader.takeBack(&chunk)
      #expect(chunk.elementsEqual(stream[position..<end]), "seed \(seed)")
      position = end
      read += drain(&decoder)
      #expect(decoder.pendingCount <= limit + 1, "seed \(seed)")
      #expect(reader.pendingCount == decoder.pendingCount, "seed \(seed)")
    }
    #expect(read == expected, "seed \(seed)")
    #expect(readInPlace == expected, "seed \(seed)")
  }
}
