// swift-tools-version: 6.2
// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// `UCMK_EMBEDDED=1` compiles the pure modules as Embedded Swift: the check that keeps the core
/// inside the subset in which the whole daemon can ship as a small process later.
let embedded = Context.environment["UCMK_EMBEDDED"] == "1"

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

let pure: [SwiftSetting] =
  strict + (embedded ? [.enableExperimentalFeature("Embedded"), .unsafeFlags(["-wmo"])] : [])

/// `UCMK_DIGEST=1` adds the program that shows that every build decides the same
/// (`Scripts/check-replay`); it is not for people, and is no product.
let digest = embedded || Context.environment["UCMK_DIGEST"] == "1"

/// `UCMK_LAYOUT=1` links the daemon for small memory (`Scripts/build`).
///
/// What is exported for nobody is left out, and what it uses of the runtime lies side by side, which
/// only this linker can do. Not the programs with Foundation, from which it leaves out less.
let layout: [LinkerSetting] =
  Context.environment["UCMK_LAYOUT"] == "1"
  ? [
    .unsafeFlags([
      "-use-ld=lld", "-Xlinker", "--no-export-dynamic", "-Xlinker", "--no-warn-symbol-ordering",
      "-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/Scripts/runtime-order",
    ])
  ] : []

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser",
  package: "swift-argument-parser"
)

func test(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "ucmkd",
  products: [
    .library(name: "UCMKProtocol", targets: ["UCMKProtocol"]),
    .library(name: "UCMKClient", targets: ["UCMKClient"]),
    .library(name: "UCMKClientTestKit", targets: ["UCMKClientTestKit"]),
    .executable(name: "ucmkd", targets: ["ucmkd"]),
    .executable(name: "ucmkctl", targets: ["ucmkctl"]),
    .executable(name: "ucmk-demo", targets: ["ucmk-demo"]),
    .executable(name: "ucmk-sim", targets: ["ucmk-sim"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    // The pure modules: values and rules, nothing that can block or fail.
    .target(name: "UCMKModel", swiftSettings: pure),
    .target(name: "UCMKProtocol", dependencies: ["UCMKModel"], swiftSettings: pure),
    .target(name: "UCMKCore", dependencies: ["UCMKModel"], swiftSettings: pure),

    // The kernel and the service manager.
    .target(name: "CUCMKLinux", cSettings: [.define("_GNU_SOURCE")]),
    .target(name: "UCMKLinux", dependencies: ["CUCMKLinux", "UCMKModel"], swiftSettings: strict),
    .systemLibrary(
      name: "CSystemd",
      pkgConfig: "libsystemd",
      providers: [.apt(["libsystemd-dev", "pkg-config"])]
    ),
    .target(
      name: "UCMKSystemd",
      dependencies: ["CSystemd", "UCMKLinux", "UCMKModel"],
      swiftSettings: strict
    ),

    // The daemon.
    .target(
      name: "UCMKDaemon",
      dependencies: [
        "UCMKCore", "UCMKLinux", "UCMKModel", "UCMKProtocol", "UCMKSystemd",
      ],
      swiftSettings: strict
    ),
    .executableTarget(
      name: "ucmkd",
      dependencies: ["UCMKDaemon"],
      swiftSettings: strict,
      linkerSettings: layout
    ),

    // What programs embed.
    .target(
      name: "UCMKClient",
      dependencies: ["UCMKLinux", "UCMKModel", "UCMKProtocol"],
      swiftSettings: strict
    ),
    .target(
      name: "UCMKClientTestKit",
      dependencies: ["UCMKClient", "UCMKLinux", "UCMKModel", "UCMKProtocol"],
      swiftSettings: strict
    ),

    // What people use.
    .target(
      name: "UCMKControl",
      dependencies: ["UCMKLinux", "UCMKModel", argumentParser],
      swiftSettings: strict
    ),
    .executableTarget(
      name: "ucmkctl",
      dependencies: ["UCMKControl", argumentParser],
      swiftSettings: strict
    ),
    .executableTarget(
      name: "ucmk-demo",
      dependencies: ["UCMKClient", "UCMKControl", "UCMKLinux", "UCMKModel", argumentParser],
      swiftSettings: strict
    ),

    // The policy against simulated hosts (`make sim`).
    .target(
      name: "UCMKSim",
      dependencies: ["UCMKControl", "UCMKCore", "UCMKModel"],
      swiftSettings: strict
    ),
    .executableTarget(
      name: "ucmk-sim",
      dependencies: ["UCMKControl", "UCMKSim", argumentParser],
      swiftSettings: strict
    ),

    // Measurements (`make bench`).
    .target(name: "CUCMKBench", path: "Benchmarks/CUCMKBench"),
    .executableTarget(
      name: "ucmk-bench",
      dependencies: [
        "CUCMKBench", "UCMKControl", "UCMKCore", "UCMKDaemon", "UCMKLinux", "UCMKModel",
        "UCMKProtocol",
      ],
      path: "Benchmarks/UCMKBench",
      swiftSettings: strict
    ),

    // Tests.
    .target(
      name: "UCMKTestSupport",
      dependencies: ["UCMKLinux", "UCMKModel", "UCMKProtocol"],
      swiftSettings: strict
    ),
    test("UCMKModelTests", ["UCMKModel"]),
    test("UCMKProtocolTests", ["UCMKProtocol", "UCMKModel", "UCMKTestSupport"]),
    test("UCMKCoreTests", ["UCMKCore", "UCMKModel", "UCMKTestSupport"]),
    test("UCMKLinuxTests", ["UCMKLinux", "UCMKModel", "UCMKTestSupport", "ucmk-demo"]),
    test("UCMKSystemdTests", ["UCMKSystemd", "UCMKLinux", "UCMKModel", "UCMKTestSupport"]),
    test(
      "UCMKDaemonTests",
      [
        "UCMKDaemon", "UCMKCore", "UCMKLinux", "UCMKModel", "UCMKProtocol", "UCMKSystemd",
        "UCMKTestSupport",
      ]
    ),
    test(
      "UCMKClientTests",
      ["UCMKClient", "UCMKClientTestKit", "UCMKLinux", "UCMKModel", "UCMKTestSupport"]
    ),
    test(
      "UCMKControlTests",
      ["UCMKControl", "UCMKModel", "UCMKTestSupport", argumentParser]
    ),
    test("UCMKSimTests", ["UCMKSim", "UCMKControl", "UCMKCore", "UCMKModel"]),
    test(
      "PropertyTests",
      ["UCMKDaemon", "UCMKCore", "UCMKModel", "UCMKProtocol", "UCMKTestSupport"]
    ),
    test(
      "IntegrationTests",
      [
        "UCMKClient", "UCMKLinux", "UCMKModel", "UCMKProtocol", "UCMKTestSupport", "ucmkd",
        "ucmkctl", "ucmk-demo",
      ]
    ),
    test(
      "SandboxTests",
      ["UCMKClient", "UCMKLinux", "UCMKModel", "UCMKTestSupport", "ucmkd", "ucmk-demo"]
    ),
    test("TidyTests", ["UCMKCore", "UCMKDaemon", "UCMKProtocol"]),
  ],
  swiftLanguageModes: [.v6]
)

if digest {
  // What the core compares strings with is a library of its own in Embedded Swift.
  let tables = Context.environment["UCMK_UNICODE_TABLES"] ?? ""
  package.targets.append(
    .executableTarget(
      name: "ucmk-digest",
      dependencies: ["UCMKCore", "UCMKModel"],
      swiftSettings: pure,
      linkerSettings: tables.isEmpty ? [] : [.unsafeFlags([tables])]
    )
  )
}
