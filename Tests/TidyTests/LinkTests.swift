// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@Suite("Links and addresses")
struct LinkTests {
  @Test("every relative link of a document leads somewhere")
  func links() {
    let pages = Repository.files.filter { $0.suffix == "md" }
    expectNone(pages.flatMap { LinkRules.broken($0, exists: LinkTests.target) })
  }

  @Test("no address points at a host that readers do not need")
  func addresses() {
    expectNone(Repository.files.flatMap(LinkRules.addresses))
  }

  @Test("no text names a path of somebody's machine")
  func machinePaths() {
    expectNone(Repository.files.flatMap(LinkRules.machinePaths))
  }

  /// The file at a path; a folder stands for an empty one.
  private static func target(_ path: String) -> TextFile? {
    if let file = Repository.files.first(where: { $0.path == path }) { return file }
    let exists = FileManager.default.fileExists(atPath: "\(Repository.root)/\(path)")
    return exists ? TextFile(path, "") : nil
  }

  @Test("a link to a file or heading that is not there is found")
  func linksBite() {
    let text = """
      # Top
      [a](B.md) [b](B.md#the-second-one) [c](../docs/B.md) [d](#top) [e](https://github.com/a)
      [f](C.md)
      `[g](D.md)` [h](B.md#none)
      ```
      [i](E.md)
      ```
      [j](../B.md)
      """
    let other = TextFile("docs/B.md", "# B\n## The `second` one!\n")
    let page = TextFile("docs/A.md", text)
    let found = LinkRules.broken(page) { path in [page, other].first { $0.path == path } }
    #expect(found.map(\.line) == [3, 4, 8])
  }

  @Test(
    "an address that is not on the list is found",
    arguments: [
      ("https://github.com/a/b", 0), ("see http" + "://intranet.company.com/x", 1),
      ("https?://[^ ]+", 0), ("http://mirror.example/debian", 0), ("unix://path", 0),
      ("https" + "://a.b https" + "://c.d", 2),
    ]
  )
  func addressesBite(text: String, count: Int) {
    #expect(LinkRules.addresses(TextFile("a.txt", text)).count == count)
  }

  @Test("a path of one machine is found")
  func machinePathsBite() {
    let file = TextFile("a.md", "/run/ucmkd\n/ho" + "me/somebody\n/tmp/" + "wt/x\nrework/a\n")
    #expect(LinkRules.machinePaths(file).map(\.line) == [2, 3])
  }
}
