// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKClient
import UCMKLinux
import UCMKModel
import UCMKProtocol

@Suite("small rules")
struct RuleTests {
  @Test(
    "names follow the rule of the protocol",
    arguments: [
      ("thumbs", true), ("a", true), ("7.x_y-z", true), ("", false), ("Thumbs", false),
      (".x", false), ("-x", false), ("a b", false), ("ü", false),
      (String(repeating: "a", count: 64), true), (String(repeating: "a", count: 65), false),
    ]
  )
  func names(text: String, isValid: Bool) {
    #expect((CacheName(text) != nil) == isValid)
  }

  @Test("a numbered name stays within its length")
  func numbered() throws {
    let short: CacheName = "thumbs"
    #expect(short.numbered(2) == "thumbs.2")
    let long = try #require(CacheName(String(repeating: "a", count: 64)))
    #expect(long.numbered(12) == String(repeating: "a", count: 61) + ".12")
  }

  @Test("wishes out of range move to the nearer end")
  func policy() {
    let label = CacheDeclaration.Label(
      key: String(repeating: "k", count: 40),
      value: String(repeating: "ü", count: 40)
    )
    let policy = CachePolicy(
      share: 1_000,
      floor: ByteCount(.max),
      ceiling: ByteCount(.max),
      rebuildCost: .microsecondsPerMiB(.max),
      minimumLevel: .none,
      labels: Array(repeating: label, count: 10)
    )
    let declaration = policy.declaration(name: "x", usage: .zero)
    #expect(declaration.share == 100)
    #expect(declaration.floor == .wireMaximum)
    #expect(declaration.ceiling == .wireMaximum)
    #expect(declaration.costMicrosecondsPerMiB == 1_000_000_000)
    #expect(declaration.minimumLevel == .low)
    #expect(declaration.labels.count == 8)
    #expect(declaration.labels[0].key.utf8.count == 32)
    #expect(declaration.labels[0].value == String(repeating: "ü", count: 32))
    #expect(CachePolicy(share: 0).declaration(name: "x", usage: .zero).share == 1)
  }

  @Test("costs are decades around the protocol's default")
  func costs() {
    let costs: [RebuildCost] = [.trivial, .cheap, .moderate, .expensive]
    #expect(costs.map(\.microsecondsPerMiB) == [100, 1_000, 10_000, 100_000])
  }

  @Test(
    "the environment says where a daemon is",
    arguments: [
      (nil, nil, nil, ["/run/ucmkd/ucmkd.sock"]),
      ("/tmp/x.sock", nil, nil, ["/tmp/x.sock"]),
      ("/tmp/x.sock", "user", "/run/user/1", ["/tmp/x.sock"]),
      ("", nil, nil, []),
      ("/dev/null", "user", "/run/user/1", []),
      ("relative", nil, nil, []),
      (nil, "user", "/run/user/1", ["/run/user/1/ucmkd.sock", "/run/ucmkd/ucmkd.sock"]),
      (nil, "user", nil, ["/run/ucmkd/ucmkd.sock"]),
      (nil, "system", "/run/user/1", ["/run/ucmkd/ucmkd.sock"]),
    ] as [(String?, String?, String?, [String])]
  )
  func environment(socket: String?, scope: String?, runtime: String?, paths: [String]) {
    var environment = ClientEnvironment()
    environment.socket = socket
    environment.scope = scope
    environment.runtimeDirectory = runtime
    #expect(environment.socketPaths == paths)
  }

  @Test("waits grow from the shortest to the longest, differ, and start again", arguments: 1...50)
  func backoff(seed: UInt64) {
    var backoff = Backoff(.milliseconds(250)...TimeSpan.seconds(30), seed: seed)
    var ceiling: UInt64 = 250
    var waits: [UInt64] = []
    for _ in 0..<20 {
      ceiling = min(ceiling * 2, 30_000)
      let wait = backoff.next().milliseconds
      #expect((250...ceiling).contains(wait), "seed \(seed)")
      waits.append(wait)
    }
    #expect(Set(waits).count > 10, "seed \(seed)")
    backoff.reset()
    #expect(backoff.next() <= .milliseconds(500))
    let named = backoff.jittered(.seconds(2))
    #expect(named >= .seconds(2) && named <= .seconds(3))
  }

  @Test("spans of the standard library become whole nanoseconds, negative ones nothing")
  func spans() {
    #expect(TimeSpan(Duration.milliseconds(1_500)) == .milliseconds(1_500))
    #expect(TimeSpan(Duration.seconds(-3)) == .zero)
    #expect(TimeSpan(Duration.milliseconds(-3)) == .zero)
  }

  @Test("the scopes of the own cgroup and all above it are known beforehand")
  func scopes() throws {
    var scopes = KnownScopes()
    scopes.learn("/system.slice/shop.slice/shop.service")
    #expect(
      scopes.scopes == [
        .domain(.host), .manual, .domain(.cgroup("/system.slice/shop.slice/shop.service")),
        .domain(.cgroup("/system.slice/shop.slice")), .domain(.cgroup("/system.slice")),
        .domain(.cgroup("/")),
      ]
    )
    scopes.learn("/")
    #expect(scopes.scopes == [.domain(.host), .manual, .domain(.cgroup("/"))])
    var message = UCMKProtocol.ShrinkRequest()
    for scope in [Scope.manual, .domain(.host), .domain(.cgroup("/elsewhere"))] {
      message.scope = scope
      #expect(scopes.scope(of: message) == scope)
    }
  }

  @Test("a request that a test makes can be cancelled by time alone")
  func request() {
    let open = UCMKClient.Request(bytes: .mebibytes(1))
    #expect(!open.isOver)
    #expect(!open.isCancelled)
    let over = UCMKClient.Request(bytes: .mebibytes(1), deadline: .now)
    #expect(over.isOver)
    #expect(over.timeRemaining == .zero)
  }
}
