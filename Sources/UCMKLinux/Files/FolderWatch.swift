// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// Tells when something is made or removed in a few folders (inotify(7)).
///
/// Works in the cgroup hierarchy too, for folders that are made and removed by processes; files
/// that the kernel itself adds there are not told of.
package final class FolderWatch {
  private let descriptor: OwnedDescriptor
  private var buffer = [UInt8](repeating: 0, count: 4_096)

  /// Makes a watch of no folder yet.
  ///
  /// - Throws: Where the user has too many of them (EMFILE) or the kernel has no memory.
  package init() throws(SystemError) {
    descriptor = try OwnedDescriptor(checking: ucmk_inotify(), "inotify_init1")
  }

  /// The descriptor to watch for `.in`.
  package var raw: Int32 { descriptor.raw }

  /// Watches one more folder; one that is watched already stays so.
  ///
  /// - Returns: Whether there is such a folder.
  /// - Throws: Where the user watches too many (ENOSPC), or may not read it.
  @discardableResult
  package func add(_ folder: String) throws(SystemError) -> Bool {
    let result = unsafe ucmk_inotify_add(raw, folder)
    if KernelFiles.isAbsence(-result) { return false }
    try SystemError.check(result, "inotify_add_watch", folder)
    return true
  }

  /// Makes the descriptor unreadable until the next change.
  ///
  /// - Returns: Whether anything changed since the last call; what it was is for the caller to look
  ///   at, as the queue may have lost some of it.
  @discardableResult
  package func drain() -> Bool {
    var hasChanged = false
    while unsafe ucmk_read(raw, &buffer, buffer.count) > 0 { hasChanged = true }
    return hasChanged
  }

  /// Whether anything lies at `path`, as far as this process may know.
  package static func exists(_ path: String) -> Bool { unsafe ucmk_path_kind(path) >= 0 }
}
