// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("The rules for documents can fail")
struct DocumentRulesTests {
  private let known = [
    DocumentRules.Key(section: "A", name: "Low", value: "5%"),
    DocumentRules.Key(section: "B", name: "Low", value: ""),
  ]

  @Test(
    "a name counts only as a word of its own",
    arguments: [
      ("`cache.report`", 0), ("cache.reported", 1), ("x.cache.report", 1), ("a cache.report b", 0),
      ("", 1), ("| `limit` / `cache.report` |", 0),
    ]
  )
  func missing(text: String, count: Int) {
    let page = TextFile("a.md", text)
    #expect(DocumentRules.missing(["cache.report"], in: page, "method").count == count)
  }

  @Test("a sample that lacks a key, invents one or states another default is found")
  func sample() {
    func check(_ text: String) -> [String] {
      let file = TextFile("a.conf", text)
      let keys = DocumentRules.keys(ofSample: file)
      return DocumentRules.differences(keys, known, in: file).map(\.description)
    }
    #expect(check("# a Sample = text\n[A]\n# mark\n#Low=5%\n#[B /x]\n#Low=\n") == [])
    #expect(
      check("[A]\n#Low=6%\n#High=8%\n")
        == [
          "a.conf:2: [A] Low=6% is [A] Low=5% in the code; state the same",
          "a.conf:3: [A] High=8% is no key of the code; remove it",
          "a.conf:4: [B] Low= of the code is missing; add it",
        ]
    )
  }

  @Test("a line of the sample that does something is found")
  func active() {
    let file = TextFile("a.conf", "# x\n\n[A]\nLow=5%\n#Low=5%\n")
    #expect(DocumentRules.active(inSample: file).map(\.line) == [4])
  }

  @Test("keys are read off a manual page")
  func manual() {
    let page = TextFile(
      "a.5",
      ".Ss [A]\n.It Cm Low Ns = Ns Ar size Pq default: Ql 5%\n"
        + ".Ss [B PATH]\n.It Cm Low Ns = Ns Ar size\n.It Cm Top Pq default: Ql \"a b\"\n"
    )
    let keys = DocumentRules.keys(ofManual: page)
    #expect(keys.map(\.key.description) == ["[A] Low=5%", "[B] Low=", "[B] Top=a b"])
    #expect(keys.map(\.line) == [2, 4, 5])
    #expect(
      DocumentRules.differences(keys, known, in: page).map(\.text)
        == ["[B] Top=a b is no key of the code; remove it"]
    )
  }

  @Test("items of a manual page are those below the heading")
  func items() {
    let page = TextFile(
      "a.8",
      ".It Fl -config Ar file\n.Sh EXIT STATUS\n.It 0\n.It 64 x\n.Sh FILES\n.It 1\n"
    )
    #expect(DocumentRules.items(page, ".It Fl -") == ["config"])
    #expect(DocumentRules.items(page, ".It ", below: "EXIT STATUS") == ["0", "64"])
  }

  @Test("options are read off a help text")
  func options() {
    let help = "usage: x [--a]\n         [--b]\n\n  --config FILE  text --c\n  --user  text\n"
    #expect(DocumentRules.options(ofHelp: help) == ["config", "user"])
  }

  @Test("targets of a Makefile are those with a text")
  func targets() {
    let file = TextFile("Makefile", "a: ## one\n\t@x: ## no\nb:\n.PHONY: a\nc-d: e ## two\n")
    #expect(DocumentRules.targets(ofMakefile: file) == ["a", "c-d"])
  }

  @Test("both sides of a difference are named")
  func differences() {
    let file = TextFile("a.8", "")
    #expect(
      DocumentRules.differences(["a", "b"], ["b", "c"], in: file, "exit code").map(\.text)
        == ["exit code c is missing; add it", "exit code a does not exist; remove it"]
    )
  }
}
