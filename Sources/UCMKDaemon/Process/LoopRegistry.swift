// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKLinux
import UCMKSystemd

/// The event loop as the daemon sees it.
final class LoopRegistry: SourceRegistry {
  private let loop: EventLoop
  /// Triggers are served before connections: what they say decides what the others are worth.
  private static let priority: Int64 = -10

  init(_ loop: EventLoop) { self.loop = loop }

  func add(
    _ fd: Int32,
    _ events: EpollEvents,
    _ handler: @escaping (EpollEvents) -> Void
  ) throws(SystemError) -> any WatchedSource {
    LoopSource(
      try loop.addIO(fd, events: events, priority: LoopRegistry.priority, handler)
    )
  }
}

/// A source of the event loop as the daemon sees it.
private final class LoopSource: WatchedSource {
  private let source: IOSource

  init(_ source: IOSource) { self.source = source }

  func remove() { source.remove() }
}
