// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite("Sizes")
struct SizeTests {
  @Test("no source file is longer than 400 lines")
  func files() {
    let code = Repository.files.filter { $0.suffix == "swift" || $0.isC || $0.isScript }
    expectNone(code.flatMap(SizeRules.files))
  }

  @Test("no function is longer than 60 lines")
  func functions() {
    expectNone(Repository.swift.flatMap(SizeRules.functions))
    expectNone(Repository.files.filter(\.isC).flatMap(SizeRules.functionsOfC))
  }

  @Test("no line of Swift is wider than 100 columns")
  func columns() {
    expectNone(Repository.swift.flatMap(SizeRules.columns))
  }

  @Test("there is at least as much test code as source code")
  func tests() {
    let source = CodeCount(Repository.files.filter(CodeCount.isSource))
    let test = CodeCount(Repository.files.filter(CodeCount.isTest))
    print("lines of code without blanks and comments: source \(source.lines), test \(test.lines)")
    #expect(
      test.lines >= source.lines,
      "tests are \(test.lines) lines, sources \(source.lines): write the tests that are missing"
    )
  }

  @Test("a file, a line and a function one above the limit are found, at the limit not")
  func bites() {
    func file(_ count: Int) -> TextFile {
      TextFile("a.swift", String(repeating: "x\n", count: count))
    }
    #expect(SizeRules.files(file(400)).isEmpty)
    #expect(SizeRules.files(file(401)).map(\.line) == [401])

    func columns(_ text: String) -> [Int] {
      SizeRules.columns(SwiftFile("a.swift", text)).map(\.line)
    }
    let wide = String(repeating: "ä", count: 100)
    #expect(columns("a\n\(wide)\n") == [])
    #expect(columns("a\n\(wide)x\n") == [2])
    #expect(columns("// \(wide)\n") == [1])
    #expect(columns("\"\"\"\n\(wide)x\n\"\"\"\n") == [])
    #expect(columns("\"\(wide)\",\nf(\"\(wide)\")\n") == [2])
  }

  @Test(
    "the length of a function is counted past braces in strings and comments",
    arguments: [
      ("func f() {", "}", 1), ("init(a: Int = { 1 }()) {", "}", 1), ("var a: Int {", "}", 1),
      ("func f<T: P>(a: T) throws(E) -> [Int] where T: Q {", "}", 1), ("deinit {", "}", 1),
      ("func f() { // {", "}", 1), ("func f() { g(\"{\")", "}", 1),
      ("subscript(a: Int) -> Int {", "}", 1),
      ("struct S {", "}", 0), ("let a = f {", "}", 0), ("self.init(a: 1) {", "}", 0),
      ("protocol P { func f(); init() }\nstruct S {", "}", 0),
      ("protocol P { var a: Int { get } }\nstruct S {", "}", 0),
    ]
  )
  func functionsBite(head: String, tail: String, count: Int) {
    func found(_ lines: Int) -> Int {
      let body = String(repeating: "  g()\n", count: lines - 2)
      return SizeRules.functions(SwiftFile("a.swift", "\(head)\n\(body)\(tail)\n")).count
    }
    #expect(found(60) == 0)
    #expect(found(61) == count)
  }

  @Test("a long function of C is found")
  func functionsOfCBite() {
    func found(_ lines: Int) -> [Int] {
      let body = String(repeating: "    g('{', \"{\"); /* { */\n", count: lines - 2)
      return SizeRules.functionsOfC(TextFile("a.c", "int f(void)\n{\n\(body)}\n")).map(\.line)
    }
    #expect(found(60) == [])
    #expect(found(61) == [2])
  }

  @Test("blank lines and comments are no code")
  func counting() {
    let text = "// a\n\n/* b\n c */ let d = 1\nlet url = \"// no comment\"\n  /// e\n}\n"
    #expect(CodeCount([TextFile("Sources/A/a.swift", text)]).lines == 3)
  }
}

/// How many lines of files hold code.
struct CodeCount {
  var lines = 0

  init(_ files: [TextFile]) {
    for file in files {
      lines += MaskedText(file.text).code.count { line in line.contains { $0 != " " } }
    }
  }

  /// Swift and C of the product.
  ///
  /// What only tests link counts as test.
  static func isSource(_ file: TextFile) -> Bool {
    guard file.path.hasPrefix("Sources/"), file.module != "UCMKTestSupport" else { return false }
    return file.suffix == "swift" || file.isC
  }

  static func isTest(_ file: TextFile) -> Bool {
    file.suffix == "swift" && (file.path.hasPrefix("Tests/") || file.module == "UCMKTestSupport")
  }
}
