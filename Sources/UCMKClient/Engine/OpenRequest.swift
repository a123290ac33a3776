// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel
import UCMKProtocol

/// A request to shrink that is not answered yet.
struct OpenRequest {
  /// The number under which its targets find it; rises.
  let serial: UInt64
  /// The daemon's id; nil where the program's own pressure file is behind it.
  let id: RequestID?
  let order: ShrinkOrder
  let manner: CacheCell.Manner
  let receivedAt: MonotonicInstant
  /// Four fifths of the time: the answer leaves then with what is done.
  let answerAt: MonotonicInstant
  /// Whether free heap pages are to be handed back.
  let wantsTrim: Bool
  /// The trim that runs.
  var trim: UInt64?
  var isTrimmed = false
}

/// One cache of a request.
struct OpenTarget {
  enum State {
    /// The cache is at work for an earlier request.
    case waiting
    case running(token: UInt64)
    case done(freed: ByteCount, more: Bool)
    case refused(ShrinkRefusal)
    /// The cache is not here, or left.
    case gone
  }

  let serial: UInt64
  /// The cache's place among the records; nil where there is none.
  let record: Int?
  /// The daemon's number for it.
  let id: CacheID
  let bytes: ByteCount
  var state: State

  var isSettled: Bool {
    switch state {
    case .waiting, .running: false
    case .done, .refused, .gone: true
    }
  }

  var isRefused: Bool {
    if case .refused = state { return true }
    return false
  }

  var isGone: Bool {
    if case .gone = state { return true }
    return false
  }
}
