// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKCore
import UCMKDaemon
import UCMKProtocol

@Suite("Documents against code")
struct DocumentTests {
  private let settings = SettingTable.all.map { setting in
    DocumentRules.Key(section: setting.section, name: setting.key, value: setting.defaultText)
  }

  @Test("PROTOCOL.md describes every method, error code and limit")
  func protocolPage() throws {
    let page = try Repository.file("docs/PROTOCOL.md")
    let methods = MessageCatalog.entries.map { "\($0.method.name)" }
    expectNone(DocumentRules.missing(methods, in: page, "method"))
    let codes = ErrorCode.allCases.map { "\($0.rawValue)" }
    expectNone(DocumentRules.missing(codes, in: page, "error code"))
    let roles = [Role.member, .observer, .admin].map { "\($0.name)" }
    let words = roles + ["none", "low", "medium", "critical", "sync", "gc", "slow"]
    let bare = TextFile(page.path, page.text.filter { $0 != "*" })
    expectNone(DocumentRules.missing(words, in: bare, "word"))
  }

  @Test("the sample file states every key with its default, and changes nothing")
  func sample() throws {
    let file = try Repository.file("packaging/ucmkd.conf")
    let keys = DocumentRules.keys(ofSample: file)
    expectNone(DocumentRules.differences(keys, settings, in: file))
    expectNone(DocumentRules.active(inSample: file))
    #expect(keys.map(\.key.description) == settings.map(\.description), "in the order of the code")
    let source = SettingsSource(file: file.path, text: file.text)
    #expect(SettingsReader.read([source]) == .valid(Settings()))
  }

  @Test("the defaults that the sample states are what the code does without them")
  func sampleDefaults() throws {
    let file = try Repository.file("packaging/ucmkd.conf")
    // Without comments and without the sections that name somebody.
    let lines = file.lines.prefix { !$0.hasPrefix("#[") }
      .map { $0.hasPrefix("#") && !$0.hasPrefix("# ") ? String($0.dropFirst()) : $0 }
    let source = SettingsSource(file: file.path, text: lines.joined(separator: "\n"))
    guard case .valid(var read) = SettingsReader.read([source]) else {
      Issue.record("the sample is not understood: \(SettingsReader.read([source]))")
      return
    }
    #expect(read.assigned.count == settings.count { !["Domain", "Client"].contains($0.section) })
    // Written down, the watermarks stand without the clamps of the defaults.
    #expect(read.configuration.watermarks.isExplicit)
    read.configuration.watermarks.isExplicit = false
    read.assigned = []
    #expect(read == Settings())
  }

  @Test("ucmkd.conf(5) states every key with its default")
  func settingsManual() throws {
    let page = try Repository.file("docs/man/ucmkd.conf.5")
    expectNone(DocumentRules.differences(DocumentRules.keys(ofManual: page), settings, in: page))
  }

  @Test("ucmkd(8) lists every option and exit code")
  func daemonManual() throws {
    let page = try Repository.file("docs/man/ucmkd.8")
    let options = DocumentRules.options(ofHelp: DaemonOptions.help)
    let listed = DocumentRules.items(page, ".It Fl -")
    expectNone(DocumentRules.differences(listed, options, in: page, "option --"))
    let codes = DocumentRules.items(page, ".It ", below: "EXIT STATUS")
    let known = ExitCode.allCases.map { "\($0.rawValue)" }
    expectNone(DocumentRules.differences(codes, known, in: page, "exit code"))
  }

  @Test("ucmkctl(1) lists every command")
  func controlManual() throws {
    let page = try Repository.file("docs/man/ucmkctl.1")
    let commands = Repository.sources
      .filter { $0.file.module == "UCMKControl" }
      .flatMap { $0.file.lines }
      .compactMap { line -> String? in
        guard let name = line.firstRange(of: "commandName: \"") else { return nil }
        return String(line[name.upperBound...].prefix { $0 != "\"" })
      }
      // A command of its own, and the group of `config check`.
      .filter { $0 != "ucmkctl" && $0 != "check" }
    expectNone(DocumentRules.missing(commands, in: plain(page), "command"))
  }

  /// A manual page with its macros' words set off by blanks only.
  private func plain(_ page: TextFile) -> TextFile {
    TextFile(page.path, page.text.filter { $0 != "\\" })
  }

  @Test("make help lists the targets that the documents promise")
  func makefile() throws {
    let file = try Repository.file("Makefile")
    let promised = [
      "bench", "build", "chaos", "check", "deb", "demo", "fuzz", "help", "install", "sandbox",
      "sim", "soak", "test",
    ]
    let targets = DocumentRules.targets(ofMakefile: file)
    expectNone(
      DocumentRules.missing(
        promised,
        in: TextFile(file.path, targets.joined(separator: "\n")),
        "target"
      )
    )
  }

  @Test("every page of docs/extending and every decision is linked from somewhere")
  func orphans() {
    let pages = Repository.files.filter { $0.suffix == "md" }
    for page in pages
    where page.path.hasPrefix("docs/extending/") || page.path.hasPrefix("docs/decisions/") {
      let isLinked = pages.contains { $0.path != page.path && $0.text.contains("/\(page.name)") }
      #expect(isLinked, "\(page.path): no page links to it")
    }
  }

  @Test("ARCHITECTURE.md states at least fifteen invariants")
  func invariants() throws {
    let page = try Repository.file("docs/ARCHITECTURE.md")
    #expect(page.lines.count { $0.hasPrefix("**Invariant:**") } >= 15)
  }
}
