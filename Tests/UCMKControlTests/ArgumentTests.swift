// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKControl
import UCMKModel

@Suite("what people type")
struct ArgumentTests {
  @Test(
    "a size is read in powers of 1,024",
    arguments: [
      ("0", 0), ("4096", 4_096), ("1b", 1), ("512B", 512),
      ("1K", 1_024), ("1k", 1_024), ("1KiB", 1_024), ("1kib", 1_024),
      ("64M", 67_108_864), ("64m", 67_108_864), ("64MiB", 67_108_864),
      ("1G", 1_073_741_824), ("2GiB", 2_147_483_648), ("1T", 1_099_511_627_776),
      ("1.5G", 1_610_612_736), ("0.5K", 512), ("2.25M", 2_359_296),
      ("1.000001K", 1_024), ("8191T", 9_006_099_743_113_216),
      ("9007199254740991", 9_007_199_254_740_991),
    ] as [(String, UInt64)]
  )
  func size(text: String, bytes: UInt64) throws {
    #expect(try #require(SizeArgument(argument: text)).bytes == ByteCount(bytes))
  }

  @Test(
    "what is no size is refused",
    arguments: [
      "", "M", "-1", "+1", "1.5", "1.5B", "1.", ".5M", "1..5M", "1.5.5M", "1,5M", "64 M", "64MB",
      "1KB", "64X", "0x10", "1e3", "٣M", "9007199254740992", "8192T", "99999999999T",
      "18446744073709551616", "1.0000001G", "64M ", "NaN", "50%",
    ]
  )
  func noSize(text: String) { #expect(SizeArgument(argument: text) == nil) }

  @Test(
    "a duration is read in milliseconds",
    arguments: [
      ("1ms", 1), ("500ms", 500), ("30s", 30_000), ("1.5s", 1_500), ("0.001s", 1),
      ("5m", 300_000), ("5min", 300_000), ("2h", 7_200_000), ("1h30m", 5_400_000),
      ("1m30s", 90_000), ("1d", 86_400_000), ("1d2h3m4s5ms", 93_784_005),
      ("365d", 31_536_000_000),
    ] as [(String, UInt64)]
  )
  func duration(text: String, milliseconds: UInt64) throws {
    #expect(
      try #require(DurationArgument(argument: text)).span == .milliseconds(milliseconds)
    )
  }

  @Test(
    "what is no duration is refused",
    arguments: [
      "", "30", "s", "-5s", "5 m", "0s", "0.0001s", "0.5ms", "1w", "1M", "1S", "5m3", "m5", "366d",
      "365d1ms", "99999999999999999999s", "1.2.3s",
    ]
  )
  func noDuration(text: String) { #expect(DurationArgument(argument: text) == nil) }

  @Test(
    "a cgroup is taken as the daemon or the file system names it",
    arguments: [
      ("/", "/"), ("/system.slice", "/system.slice"), ("/system.slice/", "/system.slice"),
      ("/a/b///", "/a/b"), ("/sys/fs/cgroup", "/"), ("/sys/fs/cgroup/", "/"),
      ("/sys/fs/cgroup/system.slice/shop.service", "/system.slice/shop.service"),
      ("/sys/fs/cgroup/unified/app.slice", "/app.slice"),
      ("/sys/fs/cgroups", "/sys/fs/cgroups"),
    ]
  )
  func cgroup(text: String, path: String) throws {
    #expect(try #require(CgroupArgument(argument: text)).path == path)
  }

  @Test("a cgroup begins with a slash", arguments: ["", "system.slice", "./a"])
  func noCgroup(text: String) { #expect(CgroupArgument(argument: text) == nil) }

  @Test("a cgroup is a scope on the wire")
  func cgroupScope() throws {
    let cgroup = try #require(CgroupArgument(argument: "/app.slice"))
    #expect(cgroup.json.line == #"{"kind":"cgroup","path":"/app.slice"}"#)
  }

  @Test("a round is a number or the last")
  func round() {
    #expect(RoundArgument(argument: "412") == .number(412))
    #expect(RoundArgument(argument: "last") == .last)
    for text in ["", "0", "-1", "r412", "4.0", "LAST", "9223372036854775808"] {
      #expect(RoundArgument(argument: text) == nil)
    }
  }

  @Test("none is no level to ask at")
  func levels() {
    #expect(LevelArgument.allCases.map(\.rawValue) == ["low", "medium", "critical"])
    #expect(LevelArgument(rawValue: "none") == nil)
    #expect(LevelArgument(rawValue: "Medium") == nil)
  }
}

@Suite("where the socket is looked for")
struct SocketPathTests {
  private func paths(_ option: String?, _ environment: [String: String]) throws -> [String] {
    try SocketPath.candidates(option: option, environment: environment)
  }

  @Test("the system's socket is the default")
  func system() throws {
    #expect(try paths(nil, [:]) == ["/run/ucmkd/ucmkd.sock"])
    #expect(try paths(nil, ["XDG_RUNTIME_DIR": "/run/user/7"]) == ["/run/ucmkd/ucmkd.sock"])
    #expect(
      try paths(nil, ["UCMK_SCOPE": "system", "XDG_RUNTIME_DIR": "/run/user/7"])
        == ["/run/ucmkd/ucmkd.sock"]
    )
  }

  @Test("with the user's scope the user's socket comes first")
  func user() throws {
    #expect(
      try paths(nil, ["UCMK_SCOPE": "user", "XDG_RUNTIME_DIR": "/run/user/7"])
        == ["/run/user/7/ucmkd.sock", "/run/ucmkd/ucmkd.sock"]
    )
    #expect(try paths(nil, ["UCMK_SCOPE": "user"]) == ["/run/ucmkd/ucmkd.sock"])
  }

  @Test("UCMK_SOCKET settles it, and --socket settles it before")
  func named() throws {
    let environment = [
      "UCMK_SOCKET": "/a/b", "UCMK_SCOPE": "user", "XDG_RUNTIME_DIR": "/run/user/7",
    ]
    #expect(try paths(nil, environment) == ["/a/b"])
    #expect(try paths("c.sock", environment) == ["c.sock"])
    #expect(try paths("/c", ["UCMK_SOCKET": ""]) == ["/c"])
  }

  @Test("an empty UCMK_SOCKET and /dev/null switch it off", arguments: ["", "/dev/null"])
  func off(value: String) {
    #expect(throws: ControlError.switchedOff) { try paths(nil, ["UCMK_SOCKET": value]) }
    let run = Run("status", environment: ["UCMK_SOCKET": value])
    #expect(run.status == 69)
    #expect(
      run.errors
        == "ucmkctl: UCMK_SOCKET switches the connection off; name one with --socket\n"
    )
  }

  @Test("a relative UCMK_SOCKET is a mistake")
  func relative() {
    let run = Run("status", environment: ["UCMK_SOCKET": "ucmkd.sock"])
    #expect(run.status == 64)
    #expect(
      run.errors == "ucmkctl: UCMK_SOCKET must be an absolute path, not 'ucmkd.sock'\n"
    )
  }

  @Test("the environment leads to a daemon")
  func reached() throws {
    let daemon = try FakeDaemon(["daemon.resume": [.result(#"{"state":"idle"}"#)]])
    let run = Run("resume", environment: ["UCMK_SOCKET": daemon.path])
    #expect(run.status == 0)
    #expect(run.output == "resumed: idle\n")
  }
}
