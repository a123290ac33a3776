// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import UCMKProtocol

/// The golden messages of `Tests/Fixtures/protocol`, in the order of their names, each with its LF.
enum ProtocolFixtures {
  static func lines() throws -> [String] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "Fixtures/protocol")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path())
    return try names.filter { $0.hasSuffix(".json") }.sorted().map { name in
      try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }
  }
}

/// The lines that come out of `decoder` now; nil for one above the limit.
func drain(_ decoder: inout FrameDecoder) -> [String?] {
  var lines: [String?] = []
  while let frame = decoder.next() {
    switch frame {
    case .line(let range): lines.append(String(decoding: decoder.bytes[range], as: UTF8.self))
    case .oversized: lines.append(nil)
    }
  }
  return lines
}
