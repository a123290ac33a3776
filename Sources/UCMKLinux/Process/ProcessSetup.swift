// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// Keeps the process's own memory from being paged out while memory is short.
package enum MemoryLock {
  /// Which pages are locked.
  package enum Extent: Sendable {
    /// Each page from its first use on (`MCL_ONFAULT`): small, but the first use may fault.
    case onFault
    /// Everything that is mapped, used or not: two to six times the memory.
    case everything
  }

  /// Lets go of the code and constants that only the start needed; what is used again comes back
  /// from the page cache.
  ///
  /// To be called before `lock`, which would keep them: locked pages are not given back.
  package static func forgetCode() { ucmk_forget_code() }

  /// Locks all present and future pages (mlockall(2)).
  ///
  /// - Throws: EPERM or ENOMEM where `RLIMIT_MEMLOCK` is too small and CAP_IPC_LOCK is missing.
  package static func lock(_ extent: Extent) throws(SystemError) {
    try SystemError.check(ucmk_lock_memory(extent == .onFault ? 1 : 0), "mlockall")
  }
}

/// Hands free pages of the C library's heap back to the kernel.
package enum MallocTrim {
  /// Hands back what it can (malloc_trim(3)).
  ///
  /// - Returns: Whether any page went back.
  @discardableResult
  package static func trim() -> Bool { ucmk_malloc_trim() == 1 }
}

/// Where the C library's heap puts large blocks.
package enum MallocLayout {
  /// From which size on a block has pages of its own: 64 KiB.
  ///
  /// Left to itself the library puts ever larger blocks among the small ones. Room that is reserved
  /// for later would then lie where something else was before, on pages that are there already and
  /// stay: 0.8 MB of a daemon with 1,000 clients.
  package static let separate = 64 << 10

  /// Gives large blocks pages of their own, which come when they are touched and go with the block,
  /// and all threads one heap.
  ///
  /// To be called before the process grows.
  package static func separateLargeBlocks() { ucmk_malloc_map_from(separate) }
}

/// How many descriptors the process may have.
package enum DescriptorLimit {
  /// Raises the soft limit to the hard one (RLIMIT_NOFILE).
  ///
  /// - Returns: The limit now in force.
  @discardableResult
  package static func raise() throws(SystemError) -> UInt64 {
    var soft: UInt64 = 0
    var hard: UInt64 = 0
    try SystemError.check(unsafe ucmk_raise_descriptor_limit(&soft, &hard), "setrlimit")
    return soft
  }
}

/// Signals by their numbers on every Linux that Swift runs on.
package enum SignalNumber: Int32, Sendable, Hashable {
  /// SIGHUP: read the configuration again.
  case hangUp = 1
  /// SIGINT: stop.
  case interrupt = 2
  /// SIGUSR1: dump the flight recorder.
  case user1 = 10
  /// SIGUSR2: free for tests.
  case user2 = 12
  /// SIGPIPE: ignored everywhere.
  case pipe = 13
  /// SIGTERM: stop.
  case terminate = 15

  /// Ignores the signal from now on, in the whole process.
  package func ignore() throws(SystemError) {
    try SystemError.check(ucmk_ignore_signal(rawValue), "sigaction")
  }

  /// Blocks the signal in this thread, as reading it from a descriptor needs.
  package func block() throws(SystemError) {
    try SystemError.check(ucmk_block_signal(rawValue), "pthread_sigmask")
  }
}

/// The environment, which a process that gained rights must not trust.
package enum Environment {
  /// The value of a variable; nil where it is not set, and in a process that gained rights by its
  /// executable (secure_getenv(3)).
  package static func value(_ name: String) -> String? {
    guard let value = unsafe ucmk_getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}
