// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// What a descriptor is ready for.
///
/// The numbers are the kernel's, the same for epoll and poll (`EPOLLIN` is `POLLIN`), so one type
/// serves both and the event loop of libsystemd.
package struct EpollEvents: OptionSet, Sendable, Hashable, CustomStringConvertible {
  /// The kernel's bits.
  package let rawValue: UInt32

  /// Makes a set of these bits.
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// There is something to read, or to accept.
  package static let `in` = EpollEvents(rawValue: 0x1)
  /// A PSI trigger fired.
  package static let pri = EpollEvents(rawValue: 0x2)
  /// There is room to write.
  package static let out = EpollEvents(rawValue: 0x4)
  /// The file failed; of a PSI trigger: its cgroup is gone.
  ///
  /// Always reported, never asked for.
  package static let err = EpollEvents(rawValue: 0x8)
  /// Both directions are closed.
  ///
  /// Always reported, never asked for.
  package static let hup = EpollEvents(rawValue: 0x10)
  /// The peer will send no more.
  package static let rdhup = EpollEvents(rawValue: 0x2000)
  /// There is something to read, an end or an error among it.
  ///
  /// Made without a list: a literal of a set takes memory where it is not specialised, and this
  /// stands on the path of a round.
  package static let readable = EpollEvents(rawValue: 0x1 | 0x8 | 0x10 | 0x2000)
  /// Report a change once, not a state again and again.
  package static let edgeTriggered = EpollEvents(rawValue: 1 << 31)

  /// The names of the bits, such as `PRI|ERR`.
  package var description: String {
    let names: [(EpollEvents, String)] = [
      (.in, "IN"), (.pri, "PRI"), (.out, "OUT"), (.err, "ERR"), (.hup, "HUP"),
      (.rdhup, "RDHUP"), (.edgeTriggered, "ET"),
    ]
    return names.filter { contains($0.0) }.map(\.1).joined(separator: "|")
  }
}
