// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKDaemon

@Suite("Messages of the journal, units and completions")
struct ServiceDocumentTests {
  /// The entries of the catalog: id, the lines of the head, and the text.
  private func catalog() throws -> [(id: String, head: [String], text: String)] {
    let file = try Repository.file("systemd/ucmkd.catalog")
    var entries: [(id: String, head: [String], text: String)] = []
    var isHead = false
    for line in file.lines where !line.hasPrefix("#") {
      if line.hasPrefix("-- ") {
        entries.append((String(line.dropFirst(3)), [], ""))
        isHead = true
      } else if entries.isEmpty {
        continue
      } else if isHead {
        if line.isEmpty { isHead = false } else { entries[entries.count - 1].head.append(line) }
      } else {
        entries[entries.count - 1].text += line + "\n"
      }
    }
    return entries
  }

  @Test("the catalog explains every message of the daemon's and no other")
  func messages() throws {
    let entries = try catalog()
    #expect(entries.map(\.id) == LogMessage.all.map(\.id))
    for (entry, message) in zip(entries, LogMessage.all) {
      #expect(entry.head.first == "Subject: \(message.text)")
      #expect(entry.head.contains("Documentation: man:ucmkd(8)"), "\(message.text)")
      #expect(entry.text.contains("What to do: "), "\(message.text)")
    }
  }

  @Test("ids are 32 hexadecimal digits, and each is there once")
  func ids() {
    let ids = LogMessage.all.map(\.id)
    #expect(Set(ids).count == ids.count)
    #expect(Set(LogMessage.all.map(\.text)).count == ids.count)
    for id in ids {
      #expect(id.utf8.count == 32 && id.allSatisfy { $0.isHexDigit && !$0.isUppercase }, "\(id)")
    }
    #expect(LogMessage.id(of: "serving") == LogMessage.all[0].id)
    #expect(LogMessage.id(of: "something else") == nil)
  }

  /// The texts with which the daemon's log functions are called: string literals without numbers
  /// that follow a level, on the same line or on the next ones.
  private func logged() -> [(path: String, line: Int, text: String)] {
    var found: [(String, Int, String)] = []
    let levels = [".error", ".warning", ".notice", ".info", ".debug"]
    for file in Repository.sources where file.file.module == "UCMKDaemon" {
      var awaited = 0
      for (index, line) in file.file.lines.enumerated() {
        let text = line.drop { $0 == " " }
        if line.contains("log(") || line.contains("journal.send(") || line.contains("attempt(\"")
          || line.contains("logBehaviour(")
        {
          awaited = 3
        }
        guard awaited > 0 else { continue }
        awaited -= 1
        let isCall = levels.contains { line.contains("\($0),") } || line.contains("attempt(\"")
        let isMessage = text.hasPrefix("\"") || text.contains(" ? \"")
        guard isCall && line.contains("\"") || isMessage else { continue }
        // A message that is handed on is a literal elsewhere.
        guard !line.contains(", message") else { continue }
        let pieces = line.split(separator: "\"", omittingEmptySubsequences: false)
        guard !pieces[1].contains("\\(") else { continue }
        found.append((file.file.path, index + 1, String(pieces[1])))
        // A message that depends on something: the other one is on the same line.
        if line.contains(" ? \""), pieces.count > 3 {
          found.append((file.file.path, index + 1, String(pieces[3])))
        }
        awaited = 0
      }
    }
    return found
  }

  @Test("every message that is logged has an id, and every id is logged")
  func all() throws {
    let found = logged()
    let known = Set(LogMessage.all.map(\.text))
    for (path, line, text) in found where !known.contains(text) {
      Issue.record("\(path):\(line): \"\(text)\" has no id; add it to LogMessage and the catalog")
    }
    let said = Set(found.map(\.text))
    // Logged by other means.
    let special = Set([
      LogMessage.doesNotStart.text, "only the watermarks can start a round", "no cgroup is watched",
    ])
    for text in known where !said.contains(text) && !special.contains(text) {
      Issue.record("\"\(text)\" is logged nowhere; remove it from LogMessage and the catalog")
    }
  }

  @Test("OPERATIONS.md says of every message what to do")
  func operations() throws {
    let page = try Repository.file("docs/OPERATIONS.md")
    let listed = page.lines.compactMap { line -> String? in
      guard line.hasPrefix("| `") else { return nil }
      return String(line.dropFirst(3).prefix { $0 != "`" })
    }
    let short = ["serving", "stopped", "rehearsed"]
    let messages = listed.filter { $0.contains(" ") || short.contains($0) }
    #expect(Set(messages) == Set(LogMessage.all.map(\.text)))
  }

  @Test("SECURITY.md gives a reason for every surface and its rights")
  func surfaces() throws {
    let page = try Repository.file("docs/SECURITY.md")
    let files = Repository.files.filter { $0.path.hasPrefix("systemd/surfaces/") }
    #expect(files.count >= 2)
    for file in files {
      let name = String(file.name.dropLast(".conf".count))
      expectNone(DocumentRules.missing([name], in: page, "surface"))
      let row = page.lines.first { $0.hasPrefix("| `\(name)` ") } ?? ""
      for line in file.lines where line.hasPrefix("AmbientCapabilities=") {
        for right in line.dropFirst("AmbientCapabilities=".count).split(separator: " ") {
          #expect(row.contains(right), "\(file.path): \(right) is not in the row of \(page.path)")
        }
      }
    }
  }

  @Test("the unit does not try again what only an administrator can mend")
  func exitCodes() throws {
    for path in ["systemd/ucmkd.service", "systemd/user/ucmkd.service"] {
      let unit = try Repository.file(path)
      let line = try #require(unit.lines.first { $0.hasPrefix("RestartPreventExitStatus=") })
      let codes = line.dropFirst("RestartPreventExitStatus=".count).split(separator: " ")
      let wanted: [ExitCode] = [.usage, .unavailable, .notPermitted, .configuration]
      #expect(codes.map { String($0) } == wanted.map { "\($0.rawValue)" }, "\(path)")
      for key in ["StartLimitIntervalSec=", "StartLimitBurst=", "WatchdogSec=", "Restart="] {
        #expect(unit.lines.contains { $0.hasPrefix(key) }, "\(path): \(key)")
      }
    }
  }

  @Test("the completions of ucmkd know every option and level, and no other")
  func completions() throws {
    let options = DocumentRules.options(ofHelp: DaemonOptions.help)
    for path in ["completions/ucmkd.bash", "completions/_ucmkd"] {
      let file = try Repository.file(path)
      let words = file.text.split { !$0.isLetter && $0 != "-" }.filter { $0.hasPrefix("--") }
        .map { String($0.dropFirst(2)) }.filter { !$0.isEmpty }
      #expect(Set(words) == Set(options), "\(path)")
    }
    let fish = try Repository.file("completions/ucmkd.fish")
    let words = DocumentRules.items(fish, "complete -c ucmkd -l ")
    expectNone(DocumentRules.differences(words, options, in: fish, "option --"))
    for path in ["completions/ucmkd.bash", "completions/_ucmkd", "completions/ucmkd.fish"] {
      #expect(try Repository.file(path).text.contains("error warning notice info debug"), "\(path)")
    }
  }

  @Test("ucmk-protocol(7) lists every method and error code")
  func protocolManual() throws {
    let page = try Repository.file("docs/man/ucmk-protocol.7")
    let plain = TextFile(page.path, page.text.filter { $0 != "\\" })
    expectNone(ProtocolNames.missing(in: plain))
  }
}
