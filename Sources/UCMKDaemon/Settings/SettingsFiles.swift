// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Finds and reads the settings files.
package struct SettingsFiles: Sendable, Equatable {
  /// The main file, and whether it must be there.
  package var main: String, isRequired: Bool
  /// Folders with drop-ins, the one that wins first.
  package var folders: [String]

  /// Makes a list of places.
  package init(main: String, isRequired: Bool, folders: [String]) {
    self.main = main
    self.isRequired = isRequired
    self.folders = folders
  }

  /// The places of the system instance: `/etc` over `/run` over `/usr/lib`.
  package static let system = SettingsFiles(
    main: "/etc/ucmkd/ucmkd.conf",
    isRequired: false,
    folders: [
      "/etc/ucmkd/ucmkd.conf.d", "/run/ucmkd/ucmkd.conf.d", "/usr/lib/ucmkd/ucmkd.conf.d",
    ]
  )

  /// The places of a user's instance, below `$XDG_CONFIG_HOME` or `~/.config`.
  package static func user(configurationHome: String) -> SettingsFiles {
    SettingsFiles(
      main: "\(configurationHome)/ucmkd/ucmkd.conf",
      isRequired: false,
      folders: ["\(configurationHome)/ucmkd/ucmkd.conf.d"]
    )
  }

  /// One file that must be there, and the drop-ins beside it in `FILE.d`.
  package static func only(_ file: String) -> SettingsFiles {
    SettingsFiles(main: file, isRequired: true, folders: ["\(file).d"])
  }

  /// Reads everything and makes settings of it.
  package func load() -> SettingsOutcome {
    var sources: [SettingsSource] = []
    var problems: [SettingsProblem] = []
    func take(_ file: String, isRequired: Bool) {
      switch SettingsFiles.read(file) {
      case .text(let text): sources.append(SettingsSource(file: file, text: text))
      case .failed(ENOENT) where !isRequired: break
      case .failed(let number):
        let reason = unsafe String(cString: strerror(number))
        let text = "cannot be read: \(reason)"
        problems.append(SettingsProblem(file: file, line: 0, column: 0, text: text))
      case .notText:
        let text = "is not UTF-8 text of at most 1 MiB"
        problems.append(SettingsProblem(file: file, line: 0, column: 0, text: text))
      }
    }
    take(main, isRequired: isRequired)
    for file in dropIns() { take(file, isRequired: true) }
    guard problems.isEmpty else { return .invalid(problems) }
    return SettingsReader.read(sources)
  }

  /// The drop-ins in the order in which they count: by name, and of the same name only the one in
  /// the folder that wins.
  func dropIns() -> [String] {
    var chosen: [(name: String, path: String)] = []
    for folder in folders {
      for name in SettingsFiles.names(in: folder) where name.hasSuffix(".conf") {
        guard !chosen.contains(where: { $0.name == name }) else { continue }
        chosen.append((name, "\(folder)/\(name)"))
      }
    }
    return chosen.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }.map(\.path)
  }

  // MARK: - Files

  private enum Content {
    case text(String)
    case failed(Int32)
    case notText
  }

  /// The largest settings file that is read.
  private static let largest = 1 << 20

  private static func read(_ path: String) -> Content {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return .failed(errno) }
    defer { _ = close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes { buffer in
        unsafe Glibc.read(file, buffer.baseAddress, buffer.count)
      }
      if count < 0, errno == EINTR { continue }
      if count < 0 { return .failed(errno) }
      if count == 0 { break }
      bytes.append(contentsOf: chunk[..<count])
      guard bytes.count <= largest else { return .notText }
    }
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      return .notText
    }
    return .text(text)
  }

  private static func names(in folder: String) -> [String] {
    guard let directory = unsafe opendir(folder) else { return [] }
    defer { _ = unsafe closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }
}
