// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKCore
import UCMKModel

@testable import UCMKDaemon

/// Settings of a large installation: time grows with the number of lines, not with its square.
@Suite("settings at scale")
struct SettingsScaleTests {
  /// Seconds of this thread that `body` takes, whatever else the machine does meanwhile.
  private func seconds(_ body: () -> Void) -> Double {
    let start = time()
    body()
    return time() - start
  }

  private func time() -> Double {
    var now = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }

  private func rules(_ count: Int) -> [SettingsSource] {
    let text = (0..<count).map { "[Client unit:u\($0).service]\nShare=200\nFloor=1M\n" }.joined()
    return [SettingsSource(file: "f", text: text)]
  }

  private func settings(_ sources: [SettingsSource]) -> Settings? {
    guard case .valid(let settings) = SettingsReader.read(sources) else { return nil }
    return settings
  }

  @Test("ten thousand rules load in time, each where it stood")
  func rules() throws {
    var read: Settings?
    let small = seconds { read = settings(rules(1_000)) }
    #expect(read?.rules.count == 1_000)
    let large = seconds { read = settings(rules(10_000)) }
    let loaded = try #require(read)
    #expect(loaded.rules.count == 10_000)
    #expect(loaded.rules[9_999].match == .unit("u9999.service"))
    #expect(loaded.rules.allSatisfy { $0.share == 200 && $0.floor == .mebibytes(1) })
    #expect(loaded.assigned.count == 20_000)
    // Ten times the lines take about ten times as long; by the square it would be a hundred.
    #expect(large < 30 * max(small, 0.005), "\(small) s and \(large) s")
  }

  @Test("what ten thousand rules changed is found in time")
  func changes() throws {
    let old = try #require(settings(rules(10_000)))
    var sources = rules(10_000)
    sources.append(SettingsSource(file: "g", text: "[Client unit:u7.service]\nShare=300\n"))
    let new = try #require(settings(sources))
    #expect(new.rules.count == 10_000)
    #expect(new.rules[7].share == 300)
    #expect(new.changes(since: old) == ["Client unit:u7.service.Share"])
    #expect(old.changes(since: new) == ["Client unit:u7.service.Share"])
    let spent = seconds { #expect(new.changes(since: Settings()).count == 20_000) }
    #expect(spent < 10, "\(spent) s")
  }

  @Test("two thousand domains load in time")
  func domains() throws {
    let text = (0..<2_000).map { "[Domain /d\($0)]\nLow=1M\nHigh=2M\nGrow=3M\n" }.joined()
    var read: Settings?
    let spent = seconds { read = settings([SettingsSource(file: "f", text: text)]) }
    let domains = try #require(read).configuration.domains
    #expect(domains.count == 2_000)
    #expect(domains[1_999].domain == .cgroup("/d1999"))
    #expect(domains.allSatisfy { $0.watermarks?.high == .bytes(.mebibytes(2)) })
    #expect(spent < 10, "\(spent) s")
  }
}
