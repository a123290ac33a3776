// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The rules about what texts point at.
enum LinkRules {
  /// Relative links of a Markdown page that lead nowhere; `exists` knows the files and folders.
  static func broken(_ page: TextFile, exists: (String) -> TextFile?) -> [Finding] {
    links(in: page).compactMap { link in
      guard !link.target.contains("://"), !link.target.hasPrefix("mailto:") else { return nil }
      let parts = link.target.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
      let path = parts[0].isEmpty ? page.path : resolve(String(parts[0]), from: page.path)
      guard let target = exists(path) else {
        return page.finding(link.line, "\(link.target) leads nowhere; mend or remove the link")
      }
      guard parts.count == 2, target.suffix == "md", !anchors(of: target).contains(String(parts[1]))
      else { return nil }
      return page.finding(link.line, "\(target.path) has no heading #\(parts[1])")
    }
  }

  private static func links(in page: TextFile) -> [(target: String, line: Int)] {
    var links: [(String, Int)] = []
    for (index, line) in prose(page).enumerated() {
      var rest = line[...]
      while let open = rest.firstRange(of: "](") {
        rest = rest[open.upperBound...]
        guard let close = rest.firstIndex(of: ")") else { break }
        links.append((String(rest[..<close].prefix { $0 != " " }), index + 1))
        rest = rest[close...]
      }
    }
    return links
  }

  /// The lines of the page, without fenced blocks and code in the line.
  private static func prose(_ page: TextFile) -> [String] {
    var isFenced = false
    return page.lines.map { line in
      if line.hasPrefix("```") { isFenced.toggle() }
      guard !isFenced else { return "" }
      return line.split(separator: "`", omittingEmptySubsequences: false).enumerated()
        .filter { $0.offset % 2 == 0 }
        .map { String($0.element) }
        .joined()
    }
  }

  private static func resolve(_ path: String, from page: String) -> String {
    var parts = page.split(separator: "/").dropLast().map(String.init)
    for part in path.split(separator: "/") where part != "." {
      if part == ".." { parts = parts.dropLast() } else { parts.append(String(part)) }
    }
    return parts.joined(separator: "/")
  }

  /// The anchors that the headings of a page get where it is shown.
  static func anchors(of page: TextFile) -> [String] {
    page.lines.filter { $0.hasPrefix("#") }.map { heading in
      var slug = ""
      for character in heading.drop(while: { $0 == "#" || $0 == " " }).lowercased() {
        if character.isLetter || character.isNumber || character == "-" || character == "_" {
          slug.append(character)
        } else if character == " " {
          slug.append("-")
        }
      }
      return slug
    }
  }

  /// Where addresses may point: what documents cite, and names that are reserved for examples.
  private static let hosts = [
    "github.com", "www.apache.org", "keepachangelog.com", "semver.org", "www.kernel.org",
    "docs.kernel.org", "www.freedesktop.org", "systemd.io", "json-schema.org",
    "www.rfc-editor.org", "www.jsonrpc.org", "www.debian.org",
  ]

  /// Addresses of hosts that nobody needs to know.
  static func addresses(_ file: TextFile) -> [Finding] {
    file.lines.enumerated().flatMap { index, line in
      var findings: [Finding] = []
      var rest = line[...]
      while let scheme = rest.firstRange(of: "://") {
        let isWeb =
          rest[..<scheme.lowerBound].hasSuffix("http")
          || rest[..<scheme.lowerBound].hasSuffix("https")
        rest = rest[scheme.upperBound...]
        let host = String(
          rest.prefix { $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" }
        )
        // A pattern or a prefix has no host.
        guard isWeb, !host.isEmpty, !hosts.contains(host), !host.hasSuffix(".example") else {
          continue
        }
        findings.append(
          file.finding(index + 1, "an address at \(host): remove it, or add it to LinkRules.hosts")
        )
      }
      return findings
    }
  }

  /// Folders of single machines, in two halves so that this file does not hold them.
  private static let places = ["/wo" + "rk/", "/tmp/" + "wt", "/ho" + "me/", "/Us" + "ers/"]

  /// Paths that exist on somebody's machine only.
  static func machinePaths(_ file: TextFile) -> [Finding] {
    file.lines.enumerated().compactMap { index, line in
      guard let place = places.first(where: line.contains) else { return nil }
      return file.finding(index + 1, "\(place) is a path of one machine: derive it, or invent one")
    }
  }
}
