// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
package import UCMKLinux
import UCMKModel

/// A cgroup of a test's own in the v2 hierarchy of this host, removed when nothing refers to it.
///
/// Every v2 group has PSI files, also where the memory controller belongs to v1 (a hybrid host), so
/// triggers can be tested for real without a limit and without a virtual machine.
package final class PressureGroup: Sendable {
  /// The v2 path, such as `/ucmk-test-4711-1`.
  package let path: String
  /// The folder of the group on this host.
  package let folder: String

  /// Makes a group; nil where this host does not let us.
  package init?() {
    guard let mount = PressureGroup.mount else { return nil }
    for _ in 0..<1_000 {
      // Never a number that was used before: a group is removed once more when nothing refers to
      // it, which must not remove that of another test.
      let number = PressureGroup.made.wrappingAdd(1, ordering: .relaxed).oldValue
      let path = "/ucmk-test-\(getpid())-\(number)"
      let folder = mount == "/" ? path : mount + path
      if unsafe mkdir(folder, 0o755) == 0 {
        self.path = path
        self.folder = folder
        return
      }
      // Left behind by a process that had our number before us.
      guard errno == EEXIST else { return nil }
    }
    return nil
  }

  deinit { remove() }

  /// The PSI file of the group.
  package var pressureFile: String { "\(folder)/memory.pressure" }

  /// A reader of the hierarchy that the group is in.
  package var kernel: KernelFiles {
    KernelFiles(cgroup: String(folder.dropLast(path.utf8.count)))
  }

  /// Removes the group, once its last process is gone.
  ///
  /// Watchers of its files see an error.
  ///
  /// - Returns: Whether it is gone.
  @discardableResult
  package func remove() -> Bool {
    // The kernel lets go of a process a moment after its parent has seen it end.
    for _ in 0..<500 {
      if unsafe rmdir(folder) == 0 || errno == ENOENT { return true }
      poll(nil, 0, 10)
    }
    return false
  }

  /// Why real triggers cannot be tested on this host; nil where they can.
  package static let obstacle: String? = {
    guard mount != nil else { return "no cgroup v2 hierarchy is mounted" }
    guard let group = PressureGroup() else {
      return "no cgroup can be made in the v2 hierarchy (needs root or a delegated group)"
    }
    do throws(TriggerError) {
      let trigger = try PSITrigger(
        group.pressureFile,
        kind: .some,
        stall: .milliseconds(100),
        window: .seconds(2)
      )
      withExtendedLifetime(trigger) {}
    } catch {
      return "no trigger can be set: \(error)"
    }
    return nil
  }()

  private static let made = Atomic<Int>(0)

  private static let mount: String? = {
    do throws(SystemError) {
      return try CgroupMount.find()?.path
    } catch {
      return nil
    }
  }()
}
