// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import UCMKDaemon

@Suite("client rule")
struct ClientRuleTests {
  private let redis = ClientRule.Subject(
    name: "redis-7",
    user: 999,
    userName: "redis",
    cgroup: "/system.slice/redis.service/workers",
    executable: "/usr/bin/redis-server"
  )
  private let stranger = ClientRule.Subject(
    name: "x",
    user: 1,
    userName: nil,
    cgroup: nil,
    executable: nil
  )

  @Test(
    "matches by what the kernel knows of the client, or by its name",
    arguments: [
      ("unit:redis.service", true), ("unit:redis", false), ("unit:workers", true),
      ("exe:/usr/bin/redis-server", true), ("exe:/usr/bin/redis", false),
      ("cgroup:/system.slice", true), ("cgroup:/system.slice/redis.service", true),
      ("cgroup:/system.slice/redis", false), ("cgroup:/", true),
      ("uid:redis", true), ("uid:999", true), ("uid:99", false),
      ("name:redis-7", true), ("name:redis-*", true), ("name:redis-??", false), ("name:*", true),
    ]
  )
  func matches(text: String, expected: Bool) throws {
    let rule = ClientRule(match: try ClientRule.Match(text))
    #expect(rule.matches(redis) == expected)
  }

  @Test("nothing is known of a stranger, so that only name and number match")
  func unknown() throws {
    for text in ["unit:x", "exe:/x", "cgroup:/", "uid:root"] {
      #expect(!ClientRule(match: try ClientRule.Match(text)).matches(stranger), "\(text)")
    }
    #expect(ClientRule(match: try ClientRule.Match("uid:1")).matches(stranger))
  }

  @Test("needs a kind that exists and a value", arguments: ["", "unit", "unit:", "pid:5", ":x"])
  func malformed(text: String) {
    let wanted = "unit:NAME, exe:PATH, cgroup:PATH, uid:NAME or name:GLOB"
    #expect(throws: ValueProblem(wanted)) { try ClientRule.Match(text) }
  }

  @Test(
    "a pattern knows * and ?",
    arguments: [
      ("", "", true), ("", "a", false), ("*", "", true), ("**", "abc", true), ("?", "", false),
      ("a*c", "abbbc", true), ("a*c", "abbbd", false), ("*b*", "abc", true), ("a?c", "abc", true),
      ("a?c", "ac", false), ("*a*b", "aabab", true), ("*ab", "aaab", true), ("a*", "b", false),
    ]
  )
  func glob(pattern: String, text: String, expected: Bool) {
    #expect(globMatches(Array(pattern.utf8), Array(text.utf8)) == expected)
  }

  @Test("a hostile pattern costs no more than its length times the name's")
  func hostile() {
    let pattern = Array(String(repeating: "*a", count: 60).utf8) + [UInt8(ascii: "b")]
    let text = [UInt8](repeating: UInt8(ascii: "a"), count: 4_000)
    #expect(!globMatches(pattern, text))
  }
}
