// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux
package import UCMKModel

/// Why a file gives no trigger.
package enum TriggerError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The file lies neither on procfs nor on cgroup2, so nothing would ever fire: a fixture.
  case notAKernelFile(String)
  /// A system call failed.
  case system(SystemError)

  /// One line for people.
  package var description: String {
    switch self {
    case .notAKernelFile(let path): "\(path): neither on procfs nor on cgroup2"
    case .system(let error): error.description
    }
  }
}

/// Which stall a trigger counts.
package enum StallKind: UInt8, Sendable, Hashable {
  /// At least one task stalls.
  case some
  /// All tasks stall at once.
  case full

  /// The word of the PSI files.
  package var name: String { self == .some ? "some" : "full" }
}

/// A threshold that wakes the daemon: so much stall time within a window.
///
/// Without CAP_SYS_RESOURCE the kernel takes only windows that are multiples of 2 s (`psi.rst`), so
/// a finer one that is refused is widened, and the threshold with it.
package final class PSITrigger {
  /// How closely the trigger in force follows what was asked for.
  package enum Precision: Sendable, Hashable {
    /// The window that was asked for.
    case asked
    /// The next multiple of 2 s.
    case widened
  }

  /// The kernel's window for processes without CAP_SYS_RESOURCE.
  package static let unprivilegedWindow = TimeSpan.seconds(2)
  /// The longest window that the kernel takes (`psi.rst`).
  package static let longestWindow = TimeSpan.seconds(10)

  /// Which stall it counts.
  package let kind: StallKind
  /// The stall time and the window in force.
  package let stall: TimeSpan, window: TimeSpan
  /// Whether these are the ones that were asked for.
  package let precision: Precision

  private let descriptor: OwnedDescriptor

  /// Sets a trigger on the PSI file at `path`.
  ///
  /// - Parameters:
  ///   - path: Such as `/proc/pressure/memory`, or `memory.pressure` of a cgroup.
  ///   - kind: Which stall it counts.
  ///   - stall: Whole microseconds, more than none, at most the window.
  ///   - window: At most 10 s.
  /// - Throws: ENOENT where there is no such file, EOPNOTSUPP where PSI is off, EACCES or EPERM
  ///   where it may not be written, EINVAL where the kernel refuses the widened window too.
  package init(
    _ path: String,
    kind: StallKind,
    stall: TimeSpan,
    window: TimeSpan
  ) throws(TriggerError) {
    precondition(stall > .zero && stall <= window, "a stall is a part of its window")
    precondition(window <= PSITrigger.longestWindow, "psi.rst: windows of at most 10 s")
    let opened: OwnedDescriptor
    do throws(SystemError) {
      opened = try OwnedDescriptor(
        checking: unsafe ucmk_open(path, Int32(UCMK_OPEN_READ_WRITE)),
        "open",
        path
      )
    } catch {
      throw .system(error)
    }
    guard ucmk_is_kernel_file(opened.raw) == 1 else { throw .notAKernelFile(path) }
    var setting = (stall: stall, window: window, precision: Precision.asked)
    var result = PSITrigger.write(opened, kind, stall, window)
    let wide = PSITrigger.widened(stall: stall, window: window)
    if result == -Int(EINVAL), wide.window != window {
      setting = (wide.stall, wide.window, .widened)
      result = PSITrigger.write(opened, kind, wide.stall, wide.window)
    }
    guard result >= 0 else {
      throw .system(SystemError(call: "write", path: path, errno: Int32(-result)))
    }
    descriptor = opened
    self.kind = kind
    self.stall = setting.stall
    self.window = setting.window
    precision = setting.precision
  }

  /// The descriptor to watch for `.pri`.
  ///
  /// Once it reports `.err` its cgroup is gone and it reports for ever: it must be watched no more.
  package var raw: Int32 { descriptor.raw }

  /// The next multiple of 2 s, and the stall in proportion.
  static func widened(
    stall: TimeSpan,
    window: TimeSpan
  ) -> (stall: TimeSpan, window: TimeSpan) {
    let step = unprivilegedWindow.microseconds
    let wide = (window.microseconds + step - 1) / step * step
    guard window.microseconds > 0 else { return (stall, .microseconds(wide)) }
    let scaled = stall.microseconds * wide / window.microseconds
    return (.microseconds(scaled), .microseconds(wide))
  }

  /// The kernel replaces the last byte that is written by NUL, so the text brings its own.
  static func text(_ kind: StallKind, stall: TimeSpan, window: TimeSpan) -> [UInt8] {
    Array("\(kind.name) \(stall.microseconds) \(window.microseconds)\0".utf8)
  }

  private static func write(
    _ file: OwnedDescriptor,
    _ kind: StallKind,
    _ stall: TimeSpan,
    _ window: TimeSpan
  ) -> Int {
    let bytes = text(kind, stall: stall, window: window)
    return unsafe ucmk_write(file.raw, bytes, bytes.count)
  }
}
