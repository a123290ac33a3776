// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKTestSupport

@testable import UCMKDaemon

@Suite("settings files")
struct SettingsFilesTests {
  private func places(_ tree: FileTree, isRequired: Bool = false) -> SettingsFiles {
    SettingsFiles(
      main: tree.path("etc/ucmkd.conf"),
      isRequired: isRequired,
      folders: [
        tree.path("etc/ucmkd.conf.d"), tree.path("run/ucmkd.conf.d"),
        tree.path("lib/ucmkd.conf.d"),
      ]
    )
  }

  private func connections(_ files: SettingsFiles) -> Int? {
    guard case .valid(let settings) = files.load() else { return nil }
    return settings.connections
  }

  @Test("nothing at all is the defaults")
  func nothing() {
    #expect(places(FileTree()).load() == .valid(Settings()))
  }

  @Test("the usual places are those of the manual")
  func usual() {
    #expect(SettingsFiles.system.main == "/etc/ucmkd/ucmkd.conf")
    #expect(
      SettingsFiles.system.folders == [
        "/etc/ucmkd/ucmkd.conf.d", "/run/ucmkd/ucmkd.conf.d", "/usr/lib/ucmkd/ucmkd.conf.d",
      ]
    )
    #expect(!SettingsFiles.system.isRequired)
    #expect(
      SettingsFiles.user(configurationHome: "/h/.config").main == "/h/.config/ucmkd/ucmkd.conf"
    )
    #expect(SettingsFiles.only("/x/u.conf").folders == ["/x/u.conf.d"])
    #expect(SettingsFiles.only("/x/u.conf").isRequired)
  }

  @Test("drop-ins count after the main file, sorted by name whatever their folder")
  func order() {
    let tree = FileTree([
      "etc/ucmkd.conf": "[Limits]\nConnections=1\n",
      "lib/ucmkd.conf.d/10-a.conf": "[Limits]\nConnections=10\n",
      "etc/ucmkd.conf.d/20-b.conf": "[Limits]\nConnections=20\n",
      "run/ucmkd.conf.d/30-c.conf": "[Limits]\nConnections=30\n",
    ])
    let files = places(tree)
    #expect(
      files.dropIns() == [
        tree.path("lib/ucmkd.conf.d/10-a.conf"), tree.path("etc/ucmkd.conf.d/20-b.conf"),
        tree.path("run/ucmkd.conf.d/30-c.conf"),
      ]
    )
    #expect(connections(files) == 30)
  }

  @Test("of the same name, /etc wins over /run, and that over /usr/lib")
  func precedence() {
    let tree = FileTree([
      "lib/ucmkd.conf.d/50.conf": "[Limits]\nConnections=1\n",
      "run/ucmkd.conf.d/50.conf": "[Limits]\nConnections=2\n",
      "etc/ucmkd.conf.d/50.conf": "[Limits]\nConnections=3\n",
    ])
    #expect(connections(places(tree)) == 3)
    tree.remove("etc/ucmkd.conf.d/50.conf")
    #expect(connections(places(tree)) == 2)
    tree.remove("run/ucmkd.conf.d/50.conf")
    #expect(connections(places(tree)) == 1)
  }

  @Test("a link to /dev/null masks the file of that name")
  func mask() {
    let tree = FileTree(["lib/ucmkd.conf.d/50.conf": "[Limits]\nConnections=1\n"])
    tree.makeFolder("etc/ucmkd.conf.d")
    tree.makeLink("etc/ucmkd.conf.d/50.conf", to: "/dev/null")
    #expect(places(tree).load() == .valid(Settings()))
  }

  @Test("hidden files and other endings are no drop-ins")
  func others() {
    let tree = FileTree([
      "etc/ucmkd.conf.d/.hidden.conf": "nonsense",
      "etc/ucmkd.conf.d/README": "nonsense",
      "etc/ucmkd.conf.d/a.conf~": "nonsense",
    ])
    #expect(places(tree).load() == .valid(Settings()))
  }

  @Test("a file that must be there and is not, is told by name")
  func missing() {
    let tree = FileTree()
    let outcome = places(tree, isRequired: true).load()
    let file = tree.path("etc/ucmkd.conf")
    let text = "cannot be read: No such file or directory"
    #expect(
      outcome == .invalid([SettingsProblem(file: file, line: 0, column: 0, text: text)])
    )
    guard case .invalid(let problems) = outcome else { return }
    #expect(problems[0].description == "\(file): \(text)")
  }

  @Test("a folder in place of a file is told")
  func folder() {
    let tree = FileTree()
    tree.makeFolder("etc/ucmkd.conf")
    guard case .invalid(let problems) = places(tree).load() else {
      Issue.record("taken")
      return
    }
    #expect(problems.map(\.text) == ["cannot be read: Is a directory"])
  }

  @Test("what is no text, or above 1 MiB, is told")
  func noText() {
    let tree = FileTree(["etc/ucmkd.conf": "[Limits]\n\0"])
    let huge = FileTree(["etc/ucmkd.conf": String(repeating: "# 0123\n", count: 150_000)])
    for tree in [tree, huge] {
      guard case .invalid(let problems) = places(tree).load() else {
        Issue.record("taken")
        continue
      }
      #expect(problems.map(\.text) == ["is not UTF-8 text of at most 1 MiB"])
    }
  }

  @Test("mistakes in drop-ins name the drop-in")
  func dropInMistake() {
    let tree = FileTree(["run/ucmkd.conf.d/x.conf": "[Limits]\nConnections=no\n"])
    guard case .invalid(let problems) = places(tree).load() else {
      Issue.record("taken")
      return
    }
    #expect(problems.map(\.file) == [tree.path("run/ucmkd.conf.d/x.conf")])
    #expect(problems.map(\.line) == [2])
    #expect(problems.map(\.column) == [13])
  }
}
