// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKProtocol
import UCMKTestSupport

@Suite("Messages that are broken at random")
struct ProtocolMutationTests {
  /// Bytes that decide something in JSON, and some that are wrong everywhere.
  private static let interesting =
    [UInt8]("\"\\{}[],:0123456789-+.eEtfnu \t\r/".utf8) + [
      0, 0x1F, 0x7F, 0x80, 0xC2, 0xED, 0xF4, 0xFF,
    ]

  private func mutate(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let index = Int.random(in: 0..<bytes.count, using: &random)
      let other = ProtocolMutationTests.interesting.randomElement(using: &random) ?? 0
      switch Int.random(in: 0..<6, using: &random) {
      case 0: bytes[index] = other
      case 1: bytes.insert(other, at: index)
      case 2: bytes.remove(at: index)
      case 3: bytes[index] = UInt8.random(in: 0...255, using: &random)
      case 4: bytes.removeLast(min(bytes.count, Int.random(in: 1...20, using: &random)))
      default:
        let end = min(bytes.count, index + Int.random(in: 1...30, using: &random))
        bytes.insert(contentsOf: bytes[index..<end], at: index)
      }
    }
  }

  /// Reads a line as a session would, as far as it goes.
  private func read(_ bytes: [UInt8]) -> Bool {
    do throws(RPCFault) {
      switch try IncomingMessage(bytes, in: 0..<bytes.count) {
      case .request(_, let method, let params), .notification(let method, let params):
        guard let method = Method(method) else { return true }
        do throws(RPCError) {
          var writer = JSONWriter()
          try anyParams(of: method, params).write(to: &writer)
        } catch {
          var writer = JSONWriter()
          error.write(to: &writer, id: nil)
          #expect(throws: Never.self) {
            try JSONText.validate(writer.bytes, in: 0..<writer.bytes.count - 1)
          }
        }
      case .response(_, .result(let result)): readResults(result)
      case .response(_, .error(let error)): return error.known != nil || true
      case .ignored: break
      }
      return true
    } catch {
      guard case .parseError(let offset) = error.error else { return true }
      #expect((0...bytes.count).contains(offset))
      return false
    }
  }

  private func readResults(_ value: JSONValue) {
    var count = 0
    func attempt(_ body: () throws(RPCError) -> any MessageResult) {
      do throws(RPCError) {
        var writer = JSONWriter()
        try body().write(to: &writer)
      } catch {
        count += 1
      }
    }
    attempt { () throws(RPCError) in try HelloResult(result: value) }
    attempt { () throws(RPCError) in try CacheRegisterResult(result: value) }
    attempt { () throws(RPCError) in try CacheUnregisterResult(result: value) }
    attempt { () throws(RPCError) in try LimitGetResult(result: value) }
    attempt { () throws(RPCError) in try PingResult(result: value) }
    attempt { () throws(RPCError) in try PurgeableSetResult(result: value) }
    attempt { () throws(RPCError) in try ShrinkReply(result: value) }
    attempt { () throws(RPCError) in try SubscribeResult(result: value) }
    #expect(count <= 8)
  }

  @Test(
    "nothing ends the process, and a syntax error lies within the line",
    arguments: 1...8 as ClosedRange<UInt64>
  )
  func neverCrashes(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let lines = try ProtocolFixtures.lines()
    var passed = 0
    for line in lines {
      for _ in 0..<30 {
        var bytes = [UInt8](line.utf8.dropLast())
        mutate(&bytes, &random)
        if read(bytes) { passed += 1 }
      }
    }
    #expect(passed > 0, "seed \(seed)")
    #expect(passed < lines.count * 30, "seed \(seed)")
  }

  @Test("what passes here is JSON for Foundation too", arguments: 101...104 as ClosedRange<UInt64>)
  func agreesWithFoundation(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    for line in try ProtocolFixtures.lines() {
      for _ in 0..<20 {
        var bytes = [UInt8](line.utf8.dropLast())
        mutate(&bytes, &random)
        do throws(JSONSyntaxError) {
          try JSONText.validate(bytes, in: 0..<bytes.count)
        } catch {
          continue
        }
        do {
          _ = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
        } catch {
          // A number such as 1e999 is JSON, but more than a double can hold.
          let text = String(decoding: bytes, as: UTF8.self)
          #expect("\(error)".contains("not representable"), "seed \(seed): \(text)")
        }
      }
    }
  }

  @Test("random bytes are refused and end nothing", arguments: 201...204 as ClosedRange<UInt64>)
  func randomBytes(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    for _ in 0..<2_000 {
      let count = Int.random(in: 0...40, using: &random)
      let bytes = (0..<count).map { _ in
        ProtocolMutationTests.interesting.randomElement(using: &random) ?? 0
      }
      if read(bytes) { #expect(!bytes.isEmpty, "seed \(seed)") }
    }
  }
}
