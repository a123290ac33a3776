// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What one target below `Sources` or `Benchmarks` may import.
struct Layer {
  var module: String
  /// Our own modules: those of Package.swift and of docs/ARCHITECTURE.md as well.
  var own: [String]
  /// What comes with the toolchain, or from outside.
  var outside: [String] = []
  /// The folder, where it is not named as the target.
  var folder: String?

  /// The layers from the bottom up; a target may import only what its line names.
  static let all = [
    Layer(module: "UCMKModel", own: []),
    Layer(module: "UCMKProtocol", own: ["UCMKModel"]),
    Layer(module: "UCMKCore", own: ["UCMKModel"]),
    Layer(module: "CUCMKLinux", own: []),
    Layer(
      module: "UCMKLinux",
      own: ["CUCMKLinux", "UCMKModel"],
      outside: ["Glibc", "Synchronization"]
    ),
    Layer(module: "CSystemd", own: []),
    Layer(module: "UCMKSystemd", own: ["CSystemd", "UCMKLinux", "UCMKModel"], outside: ["Glibc"]),
    Layer(
      module: "UCMKDaemon",
      own: ["UCMKCore", "UCMKLinux", "UCMKModel", "UCMKProtocol", "UCMKSystemd"],
      outside: ["Glibc", "Synchronization"]
    ),
    Layer(module: "ucmkd", own: ["UCMKDaemon"], outside: ["Glibc"]),
    Layer(
      module: "UCMKClient",
      own: ["UCMKLinux", "UCMKModel", "UCMKProtocol"],
      outside: ["Glibc", "Synchronization"]
    ),
    Layer(
      module: "UCMKClientTestKit",
      own: ["UCMKClient", "UCMKLinux", "UCMKModel", "UCMKProtocol"],
      outside: ["Glibc", "Synchronization"]
    ),
    Layer(
      module: "UCMKControl",
      own: ["UCMKLinux", "UCMKModel"],
      outside: ["ArgumentParser", "Foundation", "Glibc"]
    ),
    Layer(module: "ucmkctl", own: ["UCMKControl"], outside: ["ArgumentParser", "Foundation"]),
    Layer(
      module: "ucmk-demo",
      own: ["UCMKClient", "UCMKControl", "UCMKLinux", "UCMKModel"],
      outside: ["ArgumentParser", "Foundation", "Glibc", "Synchronization"]
    ),
    Layer(
      module: "UCMKSim",
      own: ["UCMKControl", "UCMKCore", "UCMKModel"],
      outside: ["Glibc"]
    ),
    Layer(
      module: "ucmk-sim",
      own: ["UCMKControl", "UCMKSim"],
      outside: ["ArgumentParser", "Glibc"]
    ),
    Layer(module: "ucmk-digest", own: ["UCMKCore", "UCMKModel"]),
    Layer(module: "CUCMKBench", own: []),
    Layer(
      module: "ucmk-bench",
      own: [
        "CUCMKBench", "UCMKControl", "UCMKCore", "UCMKDaemon", "UCMKLinux", "UCMKModel",
        "UCMKProtocol",
      ],
      outside: ["Foundation", "Glibc"],
      folder: "UCMKBench"
    ),
    Layer(
      module: "UCMKTestSupport",
      own: ["UCMKLinux", "UCMKModel", "UCMKProtocol"],
      outside: ["Foundation", "FoundationEssentials", "Glibc", "Synchronization"]
    ),
  ]

  /// The layer of the target in a folder.
  static func of(_ folder: String) -> Layer? {
    all.first { ($0.folder ?? $0.module) == folder }
  }
}

/// The rules about who may know whom.
enum LayeringRules {
  /// Modules that hold values and rules only: they also have to compile as Embedded Swift.
  static let pure = ["UCMKModel", "UCMKProtocol", "UCMKCore"]

  /// Every import that the file's layer does not name.
  static func imports(_ source: SwiftFile) -> [Finding] {
    guard let module = source.file.module else { return [] }
    guard let layer = Layer.of(module) else {
      return [source.finding(1, "module \(module) has no layer; add it to Layer.all")]
    }
    let allowed = layer.own + layer.outside
    return source.tokens.indices.compactMap { index in
      let token = source.tokens[index]
      guard token.text == "import", index + 1 < source.tokens.count else { return nil }
      let name = source.tokens[index + 1].text
      guard !allowed.contains(name) else { return nil }
      return source.finding(
        token.line,
        "\(module) may not import \(name); move the code, or argue for the layer in Layer.all"
      )
    }
  }

  /// Words that a pure module must not contain, and what to do instead.
  private static let impure: [(words: [String], instead: String)] = [
    (["Foundation", "FoundationEssentials", "Dispatch", "Glibc"], "only the standard library"),
    (["Task", "async", "await", "actor"], "order comes from the caller: one event after another"),
    (["ContinuousClock", "SuspendingClock", "Date"], "take the time as an argument"),
    (["print", "debugPrint", "dump", "readLine"], "return what is to be shown"),
    (["Float", "Double", "Float16", "Float80", "CGFloat"], "count in integers"),
    (["Set", "Dictionary"], "use a sorted array: the order of a hash differs between runs"),
    (["SystemRandomNumberGenerator", "randomElement", "shuffled"], "take chance as an argument"),
    (["Codable", "Encodable", "Decodable", "Mirror"], "not in the Embedded subset"),
  ]

  /// Whatever in a pure module waits, differs between two runs, or is not exact.
  static func impurities(_ source: SwiftFile) -> [Finding] {
    guard let module = source.file.module, pure.contains(module) else { return [] }
    var findings: [Finding] = []
    for (index, token) in source.tokens.enumerated() where token.isWord {
      let isMember = index > 0 && source.tokens[index - 1].text == "."
      if isMember, token.text == "random" {
        findings.append(source.finding(token.line, ".random in \(module): take it as an argument"))
      }
      guard !isMember, let rule = impure.first(where: { $0.words.contains(token.text) }),
        !(index > 0 && source.tokens[index - 1].text == "func")
      else { continue }
      findings.append(source.finding(token.line, "\(token.text) in \(module): \(rule.instead)"))
    }
    for line in dictionaryLines(source.tokens) {
      findings.append(
        source.finding(line, "a dictionary in \(module): use a sorted array, its order is the same")
      )
    }
    return findings
  }

  /// Lines with `[Key: Value]` or `[key: value]`, as a type or a literal.
  ///
  /// A colon of a ternary, of a labelled argument or of a closure is none.
  private static func dictionaryLines(_ tokens: [Token]) -> [Int] {
    var open: [(token: Token, hasTernary: Bool)] = []
    var lines: [Int] = []
    for (index, token) in tokens.enumerated() {
      switch token.text {
      case "[", "(", "{": open.append((token, false))
      case "]", ")", "}": _ = open.popLast()
      case "?" where token.isSpaced && !open.isEmpty: open[open.count - 1].hasTernary = true
      case ":":
        guard let last = open.last, last.token.text == "[", !last.hasTernary else { continue }
        // `values[label: 3]` is a subscript with a label, not a literal.
        guard last.token.isSpaced || isValueStart(before: last.token, in: tokens[..<index])
        else { continue }
        if lines.last != token.line { lines.append(token.line) }
      default: continue
      }
    }
    return lines
  }

  private static func isValueStart(
    before bracket: Token,
    in tokens: ArraySlice<Token>
  ) -> Bool {
    guard let index = tokens.lastIndex(of: bracket), index > 0 else { return true }
    return ["(", "[", "{", ",", ":", "<"].contains(tokens[index - 1].text)
  }
}
