// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// One breach of a rule: where, and what to do about it.
struct Finding: CustomStringConvertible, Equatable {
  var path: String, line: Int, text: String

  var description: String { "\(path):\(line): \(text)" }
}

/// Fails the running test once for every finding, up to the first 300.
func expectNone(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
  for finding in findings.prefix(300) {
    Issue.record(Comment(rawValue: finding.description), sourceLocation: sourceLocation)
  }
  if findings.count > 300 {
    Issue.record("and \(findings.count - 300) more", sourceLocation: sourceLocation)
  }
}

/// A text file of the repository.
struct TextFile: Sendable {
  /// Relative to the root.
  let path: String
  let text: String
  let lines: [String]

  init(_ path: String, _ text: String) {
    self.path = path
    self.text = text
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  /// The last part of the path.
  var name: String { path.split(separator: "/").last.map(String.init) ?? path }

  /// What follows the last dot of the name, or nothing.
  var suffix: String {
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return String(name[name.index(after: dot)...])
  }

  /// The folder below `Sources` or `Benchmarks` that a source file is in.
  var module: String? {
    let parts = path.split(separator: "/")
    guard parts.count > 2, parts[0] == "Sources" || parts[0] == "Benchmarks" else { return nil }
    return String(parts[1])
  }

  var isC: Bool { suffix == "c" || suffix == "h" }

  /// Whether it is a script: by its suffix, or by its first line.
  var isScript: Bool {
    suffix == "py" || suffix == "sh" || (suffix.isEmpty && text.hasPrefix("#!"))
  }

  func finding(_ line: Int, _ text: String) -> Finding {
    Finding(path: path, line: line, text: text)
  }
}

/// The files of the repository, read once.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// Every text file but what builds leave behind.
  static let files: [TextFile] = {
    let skipped = ["build", "LICENSE", "Package.resolved", "__pycache__"]
    var files: [TextFile] = []
    func walk(_ folder: String) throws {
      let names = try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)")
      for name in names.sorted() where !skipped.contains(name) {
        // `.ci` and the like are ours; `.git`, `.build`, `.build-embedded` are not.
        if name.hasPrefix(".git") && name != ".githooks" && name != ".gitignore" { continue }
        if name.hasPrefix(".build") || name.hasPrefix(".swiftpm") { continue }
        let path = folder.isEmpty ? name : "\(folder)/\(name)"
        let full = "\(root)/\(path)"
        var isFolder: ObjCBool = false
        guard unsafe FileManager.default.fileExists(atPath: full, isDirectory: &isFolder) else {
          continue
        }
        if isFolder.boolValue {
          try walk(path)
        } else if let data = FileManager.default.contents(atPath: full),
          let text = String(data: data, encoding: .utf8)
        {
          files.append(TextFile(path, text))
        }
      }
    }
    do {
      try walk("")
    } catch {
      preconditionFailure("the repository cannot be read: \(error)")
    }
    return files
  }()

  /// The Swift files of `Sources`, `Benchmarks` and `Tests`, split into code and comments.
  static let swift: [SwiftFile] =
    files
    .filter { file in
      file.suffix == "swift"
        && ["Benchmarks", "Sources", "Tests"].contains { file.path.hasPrefix("\($0)/") }
    }
    .map(SwiftFile.init)

  /// Those that are no tests.
  static let sources = swift.filter { $0.file.module != nil }

  /// The file at `path`; a rule that needs one which is not there fails.
  static func file(_ path: String) throws -> TextFile {
    try #require(files.first { $0.path == path }, "\(path) is missing")
  }
}
