// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKLinux
import UCMKModel

/// The cgroups that the settings name and that are not there, and the watch for them.
///
/// Every folder from the root of the hierarchy down to where a missing cgroup would be is watched,
/// so that a cgroup is noticed when it is made and nothing wakes the daemon before. While none is
/// missing there is no watch.
final class AbsentDomains {
  /// One that is missing, or there without files that can be read.
  private struct Absence {
    let domain: DomainID
    let path: String
    /// How often it is looked at again although nothing was told.
    var looks = AbsentDomains.looksMaximum
  }

  /// A controller that is switched on after its cgroup was made adds files without a word: so often
  /// a cgroup without them is looked at again, once in this time.
  static let looksMaximum = 3
  static let lookPeriod = TimeSpan.seconds(1)

  private let root: String?
  private let registry: any SourceRegistry
  private let noticed: () -> Void
  private var absences: [Absence] = []
  private var watch: (folders: FolderWatch, source: any WatchedSource)?

  /// Makes an empty list.
  ///
  /// - Parameters:
  ///   - root: Where the v2 hierarchy is mounted; nil where none is: then nothing can appear.
  ///   - registry: Who watches descriptors.
  ///   - noticed: Called when something changed where a cgroup is missing.
  init(root: String?, registry: any SourceRegistry, noticed: @escaping () -> Void) {
    self.root = root
    self.registry = registry
    self.noticed = noticed
  }

  /// The domains that are missing.
  var domains: [DomainID] { absences.map(\.domain) }

  /// Whether the cgroup of a domain is there now.
  func isThere(_ domain: DomainID) -> Bool {
    guard case .cgroup(let path) = domain, let root else { return domain == .host }
    return FolderWatch.exists(root + path)
  }

  /// Takes note that the cgroup of a domain cannot be read.
  func insert(_ domain: DomainID) throws(SystemError) {
    guard case .cgroup(let path) = domain, let root, !domains.contains(domain) else { return }
    absences.append(Absence(domain: domain, path: path))
    try arm(path, below: root)
  }

  /// Forgets those that `isOver` picks.
  func remove(where isOver: (DomainID) -> Bool) throws(SystemError) {
    let count = absences.count
    absences.removeAll { isOver($0.domain) }
    guard absences.count < count else { return }
    // A watch of folders that nobody is missed in any more would wake the daemon for nothing.
    disarm()
    try arm()
  }

  /// Watches the folders that are there by now.
  func arm() throws(SystemError) {
    guard let root else { return }
    for absence in absences { try arm(absence.path, below: root) }
  }

  /// Whether to look at a domain once more after a while, though its cgroup is there; counts down.
  func takeLook(at domain: DomainID) -> Bool {
    guard let index = absences.firstIndex(where: { $0.domain == domain }),
      absences[index].looks > 0
    else { return false }
    absences[index].looks -= 1
    return true
  }

  /// Ends the watch.
  func disarm() {
    watch?.source.remove()
    watch = nil
  }

  private func arm(_ path: String, below root: String) throws(SystemError) {
    let folders = try openWatch()
    var folder = root
    var rest = path[...]
    while try folders.add(folder), !rest.isEmpty {
      let end = rest.dropFirst().firstIndex(of: "/") ?? rest.endIndex
      guard end < rest.endIndex else { return }
      folder += rest[..<end]
      rest = rest[end...]
    }
  }

  private func openWatch() throws(SystemError) -> FolderWatch {
    if let watch { return watch.folders }
    let folders = try FolderWatch()
    let source = try registry.add(folders.raw, .in) { [unowned self] _ in
      folders.drain()
      noticed()
    }
    watch = (folders, source)
    return folders
  }
}
