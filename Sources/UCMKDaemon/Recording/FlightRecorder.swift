// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The last events, as lines in a ring of bytes that is made at start.
///
/// Always on: a line costs a copy of some 100 bytes. Dumped on SIGUSR1, so that what led to a
/// strange state can be replayed. When the ring is full the oldest lines are given up whole.
package struct FlightRecorder: Sendable {
  private var ring: [UInt8]
  /// Where the oldest line begins, and how many bytes are kept.
  private var start = 0
  private var count = 0
  /// The first lines of the run (settings and host), without which nothing can be replayed.
  private var head: [UInt8] = []
  /// Lines given up.
  package private(set) var forgotten: UInt64 = 0

  /// 512 KiB: some 4,000 events, minutes of a busy host.
  package static let defaultCapacity = 512 << 10

  /// Makes an empty recorder with all its room.
  package init(capacity: Int = FlightRecorder.defaultCapacity) {
    ring = [UInt8](repeating: 0, count: capacity)
  }

  /// Keeps lines that must never be given up; replaces those kept before.
  package mutating func keepHead(_ lines: [UInt8]) { head = lines }

  /// Keeps one line, which ends in LF.
  ///
  /// One that is larger than the ring is not kept.
  package mutating func append(_ line: [UInt8]) {
    guard line.count <= ring.count else {
      forgotten += 1
      return
    }
    while count + line.count > ring.count { dropOldest() }
    var at = (start + count) % ring.count
    for byte in line {
      ring[at] = byte
      at += 1
      if at == ring.count { at = 0 }
    }
    count += line.count
  }

  /// Everything that is kept, oldest first.
  package func dump() -> [UInt8] {
    var bytes = head
    bytes.reserveCapacity(head.count + count)
    let first = min(count, ring.count - start)
    bytes.append(contentsOf: ring[start..<start + first])
    bytes.append(contentsOf: ring[0..<count - first])
    return bytes
  }

  private mutating func dropOldest() {
    repeat {
      let byte = ring[start]
      start = start + 1 == ring.count ? 0 : start + 1
      count -= 1
      if byte == UInt8(ascii: "\n") { break }
    } while count > 0
    forgotten += 1
  }
}
