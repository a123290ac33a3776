// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Hygiene")
struct HygieneTests {
  @Test("sources hide no error and crash by no short cut")
  func constructs() {
    expectNone(Repository.sources.flatMap(HygieneRules.constructs))
  }

  @Test("no comment promises work")
  func unfinished() {
    expectNone(Repository.swift.flatMap(HygieneRules.unfinished))
  }

  @Test("no code is kept in comments")
  func deadCode() {
    expectNone(Repository.swift.flatMap(HygieneRules.deadCode))
  }

  @Test("no file or type is named by a word that says nothing")
  func names() {
    expectNone(Repository.swift.flatMap(HygieneRules.names))
  }

  @Test("no file is left over")
  func leftovers() {
    expectNone(Repository.files.flatMap(HygieneRules.leftovers))
  }

  @Test("every file of code begins with the licence")
  func licences() {
    expectNone(Repository.files.flatMap(HygieneRules.licences))
  }

  @Test("every public and package declaration says what it is")
  func documentation() {
    let documented = Repository.sources.filter { $0.file.module != "UCMKTestSupport" }
    expectNone(documented.flatMap(DocumentationRules.undocumented))
  }

  @Test(
    "each banned construct is found, and not in strings or comments",
    arguments: [
      ("let a = try? f()", 1), ("let a = try! f()", 1), ("let a = b as! C", 1),
      ("_ = try f()", 1), ("do { try f() } catch {}", 1),
      ("do { try f() } catch let e as E {\n  // nothing\n}", 1),
      ("print(1)", 1), ("fatalError()", 1), ("log.print(1)", 0), ("func print(a: Int) {}", 0),
      ("// try? print()", 0), ("let a = \"try? \\(b)\"", 0), ("let a = \"\\(try! b())\"", 1),
      ("do { try f() } catch { g() }", 0), ("let a = b as? C", 0), ("while try !f() {}", 0),
    ]
  )
  func constructsBite(text: String, count: Int) {
    let sample = SwiftFile("Sources/UCMKClient/a.swift", text)
    #expect(HygieneRules.constructs(sample).count == count)
  }

  @Test("executables may print")
  func printing() {
    let sample = SwiftFile("Sources/ucmkd/a.swift", "print(1)")
    #expect(HygieneRules.constructs(sample).isEmpty)
  }

  @Test(
    "a promise in a comment is found",
    arguments: [
      ("// TODO: more", 1), ("/* FIXME */", 1), ("/// XXX", 1), ("let todo = 1", 0),
      ("let a = \"TODO\"", 0), ("// what is to do", 0),
    ]
  )
  func unfinishedBites(text: String, count: Int) {
    #expect(HygieneRules.unfinished(SwiftFile("a.swift", text)).count == count)
  }

  @Test(
    "code in a comment is found, prose and pictures are not",
    arguments: [
      ("// let a = 1", 1), ("// if a {", 1), ("// }", 1), ("// f(a, b)", 1), ("// return a", 1),
      ("// a();", 1), ("// import Foundation", 1), ("// func f() -> Int", 1),
      ("// let the kernel work first", 0), ("// return early where nothing is asked", 0),
      ("// MARK: People", 0), ("/// let a = 1", 0), ("// import is a word", 1),
      ("// Closed (or never opened)", 0), ("// 5 (five)", 0), ("// The sum of f(x)", 0),
    ]
  )
  func deadCodeBites(text: String, count: Int) {
    #expect(HygieneRules.deadCode(SwiftFile("a.swift", text)).count == count)
  }

  @Test("empty names are found as words, not as parts of words")
  func namesBite() {
    let text = "struct SessionManager {}\nenum Utils {}\nstruct Commonplace {}\nclass JSONHelper {}"
    let sample = SwiftFile("Sources/A/Miscellany.swift", text)
    #expect(HygieneRules.names(sample).map(\.line) == [1, 2, 4])
    #expect(HygieneRules.names(SwiftFile("A/SocketHelpers.swift", "")).map(\.line) == [1])
    #expect(HygieneRules.names(SwiftFile("A/Broker+Common.swift", "")).map(\.line) == [1])
    #expect(HygieneRules.names(SwiftFile("A/ServiceManagerTests.swift", "")).isEmpty)
    #expect(
      HygieneRules.words(of: "PSITriggerV2_helperOf") == ["psi", "trigger", "v", "helper", "of"]
    )
  }

  @Test("leftovers are found by their names")
  func leftoversBite() {
    let names = ["Placeholder.swift", "a.swift.orig", "a.rej", "a~", "Original.swift"]
    let found = names.flatMap { HygieneRules.leftovers(TextFile("Sources/A/\($0)", "")) }
    #expect(found.map(\.path) == names.dropLast().map { "Sources/A/\($0)" })
  }

  @Test("a missing licence is found in code, scripts and manual pages")
  func licencesBite() {
    let licence =
      "// SPDX-FileCopyrightText: The ucmkd authors\n// SPDX-License-Identifier: Apache-2.0\n"
    func count(_ path: String, _ text: String) -> Int {
      HygieneRules.licences(TextFile(path, text)).count
    }
    #expect(count("a.swift", licence) == 0)
    #expect(count("a.swift", "// swift-tools-version: 6.2\n\(licence)") == 0)
    #expect(count("a.swift", "import A\n") == 1)
    #expect(count("a.c", "// SPDX-License-Identifier: Apache-2.0\n") == 1)
    #expect(count("Scripts/a", "#!/bin/sh\nset -eu\n") == 1)
    #expect(count("docs/man/a.8", ".Dd today\n") == 1)
    #expect(count("a.md", "# A\n") == 0)
  }

  @Test(
    "a declaration without its comment is found",
    arguments: [
      ("package func f() {}", 1), ("/// F.\npackage func f() {}", 0),
      ("/// F.\n@inlinable\n@discardableResult\npublic func f() {}", 0),
      ("// F.\npublic func f() {}", 1), ("public struct S {\n  public var a = 1\n}", 2),
      ("/// Some.\npackage static let a = 1, b = 2\npackage static let c = 3", 0),
      ("/// Some.\npackage static let a = 1\n\npackage static let c = 3", 1),
      ("/// Some.\npackage func f() {}\npackage func g() {}", 1),
      ("public import A", 0), ("package extension A {}", 0), ("internal func f() {}", 0),
      ("/// A.\npublic private(set) var a = 1", 0), ("public private(set) var a = 1", 1),
      ("let a = \"public func f\"", 0), ("@inlinable public init(a: Int) {}", 1),
      ("public static func == (a: A, b: A) -> Bool { true }", 1),
      ("public package(set) var a = 1", 1), ("public var description: String { a }", 0),
      ("/// A.\n@A(\n  b: [c(1)]\n)\npublic var a = 1", 0),
      ("@A(\n  b: [c(1)]\n)\npublic var a = 1", 1), ("f(\n  1\n)\npublic var a = 1", 1),
      ("@Option(\n  help: \"All.\"\n)\npackage var a = 1", 0),
      ("@Flag(help: \"All.\")\npackage var a = 1", 0), ("@OptionGroup package var a: A", 0),
    ]
  )
  func documentationBites(text: String, count: Int) {
    let sample = SwiftFile("Sources/A/a.swift", text)
    #expect(DocumentationRules.undocumented(sample).count == count)
  }
}
