// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel

@testable import UCMKLinux

@Suite("code that only the start needed")
struct ForgetCodeTests {
  /// `RssFile` of this process in KiB.
  private func residentCode() throws -> UInt64 {
    let files = KernelFiles(cgroup: nil)
    let text = try files.read(.process(.init(ownProcess()), "status")) { span in
      String(decoding: (0..<span.count).map { span[$0] }, as: UTF8.self)
    }
    let line = try #require(text?.split(separator: "\n").first { $0.hasPrefix("RssFile:") })
    return try #require(UInt64(line.filter(\.isNumber)))
  }

  private func ownProcess() throws -> Int32 {
    let (one, _) = try UnixStream.pair(nonblocking: true)
    return try PeerCredentials(of: one.raw, wantsDescriptor: false).process.number
  }

  @Test("goes, and what is used again comes back and still works")
  func forget() throws {
    let before = try residentCode()
    MemoryLock.forgetCode()
    let after = try residentCode()
    #expect(after < before, "\(before) KiB before, \(after) KiB after")
    #expect("still works".uppercased() == "STILL WORKS")
    #expect((1...100).reduce(0, +) == 5_050)
  }
}
