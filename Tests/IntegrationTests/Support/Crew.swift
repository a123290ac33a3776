// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKLinux
import UCMKModel
import UCMKTestSupport

/// A few well-behaved members and somebody who starts rounds: what must work whatever others do.
final class Crew {
  let members: [WireClient]
  let root: WireClient
  /// The size of each member's one cache, in bytes.
  let size: Int

  init(_ run: DaemonRun, members count: Int = 2, mebibytes: Int = 100) throws {
    size = mebibytes << 20
    members = try (0..<count).map { try run.member("good-\($0)", bytes: mebibytes << 20) }
    root = try run.control()
  }

  /// Answers every shrink request that has come, by freeing all that was asked.
  func comply() {
    for member in members {
      while let shrink = member.next("shrink", within: .milliseconds(1)) {
        member.comply(with: shrink, size: size)
      }
    }
  }

  /// One round; the members answer, `meanwhile` is called again and again.
  func round(
    bytes: Int,
    within patience: TimeSpan = WireClient.patience,
    meanwhile: () -> Void = {}
  ) -> WireValue {
    let id = root.request("trigger", #"{"bytes":\#(bytes),"timeout_ms":9000}"#)
    var answer = WireValue.absent
    _ = eventually(within: patience) {
      meanwhile()
      comply()
      answer = root.answer(to: id, within: .milliseconds(5))
      return answer != .absent
    }
    reset()
    return answer["result"]
  }

  /// Every cache is as large as at first again, so that each round begins alike.
  private func reset() {
    for member in members {
      let usage = #"{"bytes":\#(size),"reclaimable":\#(size)}"#
      _ = member.call("cache.update", #"{"id":1,"usage":\#(usage)}"#)
    }
  }

  /// Checks that a round works as if nobody else were there: every member is heard in time, all of
  /// it is claimed, the sums are exact.
  ///
  /// "In time" is the daemon's deadline for an answer, 2 s, and not how busy this machine is.
  func expectService(_ what: String, meanwhile: () -> Void = {}) {
    let target = 20 << 20
    let timeouts = root.call("daemon.status")["result"]["counts"]["timeouts"]
    let round = round(bytes: target, meanwhile: meanwhile)
    #expect(round["state"] == "closed", "\(what)")
    #expect(round["part"].int == target, "\(what)")
    // The fixture's processes never shrink: members are trusted less and asked for more.
    #expect(round["claimed"] == round["asked"], "\(what)")
    #expect((target...2 * target).contains(round["claimed"].int ?? 0), "\(what)")
    #expect(round["clients"].sum("part") == target, "\(what)")
    #expect(round["clients"].sum("claimed") == round["claimed"].int, "\(what)")
    #expect(round["clients"].elements.map { $0["outcome"] } == members.map { _ in "done" })
    #expect(root.call("daemon.status")["result"]["counts"]["timeouts"] == timeouts, "\(what)")
  }
}
