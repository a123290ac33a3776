// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import Glibc

/// Where `doctor` reads about the host; tests put fixtures in their places.
package struct HostRoots: Sendable, Hashable {
  /// The root of procfs.
  package var proc = "/proc"
  /// Where the cgroup hierarchies are mounted.
  package var cgroup = "/sys/fs/cgroup"
  /// Where the configuration of the kernel lies as `config-RELEASE`.
  package var boot = "/boot"
  /// Where programs are installed, to know which package manager's words to use.
  package var programs = "/usr/bin"
  /// Who asks: whether the memory controller reaches this user's own programs is told too.
  package var user = getuid()

  /// Makes the usual roots.
  package init() {}
}
