// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
package import UCMKLinux
package import UCMKModel

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
    for number in 0..<1_000 {
      let path = "/ucmk-test-\(getpid())-\(number)"
      let folder = mount == "/" ? path : mount + path
      if unsafe mkdir(folder, 0o755) == 0 {
        self.path = path
        self.folder = folder
        return
      }
      // Another test of this process took the number.
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

  /// Moves this process into the group whose folder is `folder`.
  ///
  /// - Returns: Whether it is there now.
  package static func enter(_ folder: String) -> Bool {
    let file = unsafe open("\(folder)/cgroup.procs", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    let text = Array("\(getpid())\n".utf8)
    return unsafe write(file, text, text.count) == text.count
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

  private static let mount: String? = {
    do throws(SystemError) {
      return try CgroupMount.find()?.path
    } catch {
      return nil
    }
  }()
}

/// Makes this process stall for memory without a limit and without filling the host.
///
/// It maps a file, touches its pages, has the kernel evict them (`MADV_PAGEOUT`) and touches them
/// again: a page of the working set that comes back from the disk counts as memory stall. Linux
/// 6.18 does so; 6.1 gives no stall for it.
package enum PageOutLoad {
  /// Runs until `stopFile` exists or the time is over.
  ///
  /// - Parameters:
  ///   - file: Where to make a file on a disk; its folder must not be a tmpfs.
  ///   - mebibytes: Its size.
  ///   - stopFile: What ends the load.
  ///   - limit: When it ends anyway, so that no test leaves it behind.
  /// - Returns: Whether the load could be made at all.
  package static func run(
    file: String,
    mebibytes: Int,
    until stopFile: String,
    limit: TimeSpan
  ) -> Bool {
    let descriptor = unsafe open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0, fill(descriptor, mebibytes) else { return false }
    defer { close(descriptor) }
    let end = MonotonicClock.now() + limit
    let size = mebibytes << 20
    while unsafe access(stopFile, F_OK) != 0, MonotonicClock.now() < end {
      let protection = PROT_READ | PROT_WRITE
      let mapped = unsafe mmap(nil, size, protection, MAP_SHARED, descriptor, 0)
      guard let pages = unsafe mapped, unsafe pages != MAP_FAILED else { return false }
      _ = unsafe madvise(pages, size, randomAccess)
      for _ in 0..<3 { unsafe touch(pages, size) }
      _ = unsafe madvise(pages, size, pageOut)
      _ = unsafe munmap(pages, size)
    }
    return true
  }

  /// `MADV_RANDOM` and `MADV_PAGEOUT` (madvise(2)).
  private static let randomAccess: Int32 = 1, pageOut: Int32 = 21

  private static func fill(_ descriptor: Int32, _ mebibytes: Int) -> Bool {
    let block = [UInt8](repeating: 0x5a, count: 1 << 20)
    for _ in 0..<mebibytes {
      guard unsafe write(descriptor, block, block.count) == block.count else { return false }
    }
    return fsync(descriptor) == 0
  }

  private static func touch(_ pages: UnsafeMutableRawPointer, _ size: Int) {
    let step = Int(Page.size)
    for offset in stride(from: 0, to: size, by: step) {
      _ = unsafe pages.load(fromByteOffset: offset, as: UInt8.self)
    }
  }
}
