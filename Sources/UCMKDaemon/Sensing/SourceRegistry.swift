// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKLinux

/// What watches descriptors for the daemon: the event loop, or a test.
package protocol SourceRegistry: AnyObject {
  /// Calls `handler` whenever `fd` is ready for `events`, until the source is removed.
  func add(
    _ fd: Int32,
    _ events: EpollEvents,
    _ handler: @escaping (EpollEvents) -> Void
  ) throws(SystemError) -> any WatchedSource
}

/// One watched descriptor.
package protocol WatchedSource: AnyObject {
  /// Stops watching; must be called before the descriptor is closed.
  func remove()
}
