// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKLinux
import UCMKTestSupport

@testable import UCMKSystemd

/// The library sends entries to one fixed path, so the receiving end is put there in a mount
/// namespace that nobody else sees.
///
/// Needs root; the reason is printed where that is missing.
@Suite("journal entry")
struct JournalEntryTests {
  @Test("has each field under its name, whatever its value holds")
  func fields() async {
    await #expect(processExitsWith: .success) {
      guard PrivateRun.enter() else {
        print("skipped: a mount namespace of its own needs root")
        return
      }
      let receiver = try #require(DatagramSocket("/run/systemd/journal/socket"))
      let journal = Journal(
        identifier: "ucmkd",
        leastLevel: .info,
        destination: .journal,
        messageID: { $0 == "round closed" ? "0123456789abcdef0123456789abcdef" : nil }
      )
      journal.send(.debug, "dropped")
      journal.send(
        .notice,
        "round closed",
        fields: [
          ("target_bytes", "1048576"), ("name", "two\nlines"),
        ]
      )
      let entry = try #require(receiver.receive())
      #expect(entry.hasPrefix("MESSAGE=round closed\nPRIORITY=5\nSYSLOG_IDENTIFIER=ucmkd\n"))
      #expect(entry.contains("\nUCMK_TARGET_BYTES=1048576\n"))
      #expect(entry.contains("\nMESSAGE_ID=0123456789abcdef0123456789abcdef\n"))
      // A value with a line feed goes by its length, eight bytes, least first (the journal's
      // native protocol).
      #expect(entry.contains("\nUCMK_NAME\n\u{9}\0\0\0\0\0\0\0two\nlines\n"))
      #expect(receiver.receive() == nil)
    }
  }

  @Test("goes to standard error where the journal cannot take it")
  func fallback() async throws {
    let result = await #expect(
      processExitsWith: .success,
      observing: [\.standardErrorContent]
    ) {
      guard PrivateRun.enter() else {
        StandardStream.writeLine("ucmkd: started version=1", to: 2)
        print("skipped: a mount namespace of its own needs root")
        return
      }
      // A receiver that has gone refuses what is sent to it.
      _ = DatagramSocket("/run/systemd/journal/socket")
      let journal = Journal(identifier: "ucmkd", destination: .journal)
      journal.send(.info, "started", fields: [("version", "1")])
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("ucmkd: started version=1\n"))
  }
}

/// An empty `/run` that only the calling thread sees.
enum PrivateRun {
  /// Enters it.
  ///
  /// - Returns: Whether it was allowed.
  static func enter() -> Bool {
    typealias Unshare = @convention(c) (Int32) -> Int32
    typealias Mount =
      @convention(c) (
        UnsafePointer<CChar>?, UnsafePointer<CChar>, UnsafePointer<CChar>?, UInt, UnsafeRawPointer?
      ) -> Int32
    // Neither is in Swift's view of the C library.
    guard let program = unsafe dlopen(nil, RTLD_NOW),
      let unshareSymbol = unsafe dlsym(program, "unshare"),
      let mountSymbol = unsafe dlsym(program, "mount")
    else { return false }
    let unshare = unsafe unsafeBitCast(unshareSymbol, to: Unshare.self)
    let mount = unsafe unsafeBitCast(mountSymbol, to: Mount.self)
    let newNamespace: Int32 = 0x2_0000
    let recursivePrivate: UInt = 0x4_4000
    guard unshare(newNamespace) == 0 else { return false }
    guard unsafe mount(nil, "/", nil, recursivePrivate, nil) == 0 else { return false }
    guard unsafe mount("tmpfs", "/run", "tmpfs", 0, nil) == 0 else { return false }
    guard unsafe mkdir("/run/systemd", 0o755) == 0 else { return false }
    return unsafe mkdir("/run/systemd/journal", 0o755) == 0
  }
}
