// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import UCMKClient
import UCMKControl
import UCMKLinux

/// A program with a cache, as any other: fills it, keeps it full where it may, gives it back when
/// asked.
struct ClientCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "client",
    abstract: "Hold a cache of real memory until SIGTERM."
  )

  @Option(help: "The name that people see.")
  var name: String

  @Option(help: "How large the cache wishes to be, such as 64M.")
  var bytes: SizeArgument

  @Option(help: "The socket of the daemon; by default as for every program.")
  var socket: String?

  @Option(help: "A cgroup to move into first: the path of its folder.")
  var cgroup: String?

  @Option(help: "Share, 1 to 100.")
  var share: UInt32 = 100

  @Option(help: "Bytes it wishes to keep.")
  var floor: SizeArgument?

  @Option(help: "Time to rebuild one MiB, in microseconds.")
  var cost: UInt32 = 10_000

  @Flag(help: "Fill the cache once and never again.")
  var once = false

  @Flag(
    help: "Print \"asked\" and stop as by SIGSTOP when asked to shrink, in place of an answer."
  )
  var stopWhenAsked = false

  /// One entry: 64 KiB, like the thumbnail of a picture; small enough to lie in the heap, so that
  /// what is freed goes back by `malloc_trim` as in most programs.
  private static let entry = 64 << 10
  /// Entries added at a time, a step of 1 MiB, so that a limit is noticed soon.
  private static let step = 16

  func run() throws {
    if let cgroup { try CgroupFolder(cgroup).enter() }
    let client = UCMKClient(
      configuration: UCMKClient.Configuration(
        transport: socket.map { .unixSocket(path: $0) } ?? .automatic,
        applicationName: name,
        reportInterval: .milliseconds(250)
      )
    )
    guard let cacheName = CacheName("\(name).cache") else {
      throw ValidationError("--name wants lower-case letters, digits, '.', '_' and '-'")
    }
    if stopWhenAsked { return stopInstead(cacheName, of: client) }
    let cache = UCMKCache<Int, [UInt8]>(
      name: cacheName,
      totalCostLimit: Int(bytes.bytes.value),
      policy: CachePolicy(
        share: share,
        floor: floor?.bytes ?? .zero,
        rebuildCost: .microsecondsPerMiB(cost)
      ),
      client: client
    )
    fill(cache, isFirst: true)
    ChildOutput.tell("full\n")
    // Ends by SIGTERM: a cache has nothing to save.
    while true {
      usleep(250_000)
      if !once { fill(cache, isFirst: false) }
    }
  }

  /// Holds nothing but the claim to, and stops in the middle of the first request: what becomes of
  /// a round then can be watched without a race against an answer.
  private func stopInstead(_ name: CacheName, of client: UCMKClient) {
    let usage = CacheUsage(bytes: bytes.bytes, reclaimable: bytes.bytes)
    let registration = client.register(name) {
      usage
    } shrink: { _ in
      ChildOutput.tell("asked\n")
      raise(SIGSTOP)
      return .nothing
    }
    withExtendedLifetime(registration) {
      while true { pause() }
    }
  }

  /// Adds entries up to the wish, or to the limit in force; after the first time at most 4 MiB a
  /// second, as a cache refills by its misses.
  private func fill(_ cache: UCMKCache<Int, [UInt8]>, isFirst: Bool) {
    var added = 0
    while added < (isFirst ? .max : ClientCommand.step) {
      let wish = min(Int(bytes.bytes.value), cache.limit.bytes.map { Int($0.value) } ?? .max)
      guard cache.totalCost + ClientCommand.entry <= wish else { return }
      let key = Int.random(in: 0..<Int.max)
      cache.setObject(
        [UInt8](repeating: UInt8(truncatingIfNeeded: key), count: ClientCommand.entry),
        forKey: key,
        cost: ClientCommand.entry
      )
      added += 1
    }
  }
}
