// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel
package import UCMKProtocol

/// A request to shrink that is not answered yet.
package struct OpenRequest {
  /// The number under which its targets find it; rises.
  package let serial: UInt64
  /// The daemon's id; nil where the program's own pressure file is behind it.
  package let id: RequestID?
  package let order: ShrinkOrder
  package let manner: CacheCell.Manner
  package let receivedAt: MonotonicInstant
  /// Four fifths of the time: the answer leaves then with what is done.
  package let answerAt: MonotonicInstant
  /// Whether free heap pages are to be handed back.
  package let wantsTrim: Bool
  /// The trim that runs.
  package var trim: UInt64?
  package var isTrimmed = false
}

/// One cache of a request.
package struct OpenTarget {
  package enum State {
    /// The cache is at work for an earlier request.
    case waiting
    case running(token: UInt64)
    case done(freed: ByteCount, more: Bool)
    case refused(ShrinkRefusal)
    /// The cache is not here, or left.
    case gone
  }

  package let serial: UInt64
  /// The cache's place among the records; nil where there is none.
  package let record: Int?
  /// The daemon's number for it.
  package let id: CacheID
  package let bytes: ByteCount
  package var state: State

  package var isSettled: Bool {
    switch state {
    case .waiting, .running: false
    case .done, .refused, .gone: true
    }
  }

  package var isRefused: Bool {
    if case .refused = state { return true }
    return false
  }

  package var isGone: Bool {
    if case .gone = state { return true }
    return false
  }
}
