// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Layers")
struct LayeringTests {
  @Test("a module imports only what its layer allows")
  func imports() {
    expectNone(Repository.sources.flatMap(LayeringRules.imports))
  }

  @Test("model, protocol and core know no clock, file, task, chance, fraction or hash order")
  func purity() {
    expectNone(Repository.sources.flatMap(LayeringRules.impurities))
  }

  @Test("Package.swift and the layers name the same targets and dependencies")
  func package() throws {
    expectNone(PackageRules.differences(try Repository.file("Package.swift"), Layer.all))
  }

  @Test("the module table of ARCHITECTURE.md names the same targets and dependencies")
  func architecture() throws {
    let page = try Repository.file("docs/ARCHITECTURE.md")
    expectNone(PackageRules.tableDifferences(page, Layer.all))
  }

  @Test(
    "an import above the layer is found, one within it is not",
    arguments: [
      ("UCMKCore", "import UCMKModel\n", []),
      ("UCMKCore", "import UCMKModel\npackage import UCMKProtocol\n", [2]),
      ("UCMKModel", "// import Foundation\nlet text = \"import Foundation\"\n", []),
      ("UCMKModel", "@preconcurrency import Foundation\n", [1]),
      ("UCMKClient", "internal import Glibc\nimport UCMKCore\n", [2]),
      ("UCMKNew", "import Glibc\n", [1]),
    ] as [(String, String, [Int])]
  )
  func importsBite(module: String, text: String, lines: [Int]) {
    let sample = SwiftFile("Sources/\(module)/Sample.swift", text)
    #expect(LayeringRules.imports(sample).map(\.line) == lines)
  }

  @Test(
    "each kind of impurity is found",
    arguments: [
      ("import Foundation", 1), ("let a = Date()", 1), ("func f() async {}", 1),
      ("let a = Int.random(in: 1...2)", 1), ("print(1)", 1), ("let a: Double = 1", 1),
      ("var a: [String: Int] = x", 1), ("let a = [1: 2]", 1), ("f([1: 2])", 1), ("let a = [:]", 1),
      ("let a: Set<Int>", 1), ("func f() -> [Int: [Int: Int]] {}", 1), ("struct S: Codable {}", 1),
      ("func print() {}", 0), ("writer.print()", 0), ("let a = [b ? c : d]", 0),
      ("let a = list[at: 3]", 0), ("f(a: [1], b: [2])", 0), ("// Date and Set", 0),
      ("let a = \"Set and Double\"", 0), ("let a = \"\\(Double(1))\"", 1),
      ("let a = [f(b: 1), f(b: 2)]", 0),
    ]
  )
  func purityBites(text: String, count: Int) {
    let core = SwiftFile("Sources/UCMKCore/Sample.swift", text)
    #expect(LayeringRules.impurities(core).count == count)
    let daemon = SwiftFile("Sources/UCMKDaemon/Sample.swift", text)
    #expect(LayeringRules.impurities(daemon).isEmpty)
  }

  private let layers = [Layer(module: "A", own: []), Layer(module: "B", own: ["A"])]

  @Test("a target or dependency that only one of the two knows is found")
  func packageBites() {
    func check(_ text: String) -> [String] {
      PackageRules.differences(TextFile("Package.swift", text), layers).map(\.text)
    }
    let target = ".target(name: \"B\",\n  dependencies: [\n\"A\"])"
    #expect(check(".target(name: \"A\"),\n" + target) == [])
    #expect(
      check(".target(name: \"A\", dependencies: [\"B\"]),\n" + target)
        == ["A depends on B, its layer says nothing"]
    )
    #expect(
      check(".target(name: \"A\"),\n.target(name: \"C\")")
        == ["C has no layer; add it to Layer.all", "layer B has no target"]
    )
  }

  @Test("a module table that differs is found")
  func tableBites() {
    let head = "| module | may import | must not know |\n|---|---|---|\n"
    func check(_ rows: String) -> [String] {
      PackageRules.tableDifferences(TextFile("A.md", head + rows), layers).map(\.description)
    }
    #expect(check("| `A` | nothing | x |\n| `B` | `A` | x |\n") == [])
    #expect(
      check("| `A` | nothing | x |\n| `B` | `A`, `C` | x |\n")
        == ["A.md:4: B may import A, C here, A by its layer"]
    )
    #expect(check("| `A` | nothing | x |\n") == ["A.md:1: the table lacks B"])
    #expect(
      PackageRules.tableDifferences(TextFile("A.md", "text\n"), layers).map(\.text)
        == ["the page has no table with a column \"may import\""]
    )
  }
}
