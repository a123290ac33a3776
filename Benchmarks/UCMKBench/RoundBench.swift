// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKBench
import Glibc
import UCMKCore
import UCMKDaemon
import UCMKLinux
import UCMKModel

/// One round over many connected clients: plan, send, collect, in the daemon itself, beside a
/// server in C that sends and collects the same bytes over the same sockets.
enum RoundBench {
  /// Between two rounds, in microseconds: longer than a round takes to settle and close.
  static let pause: UInt32 = 400_000

  static func run(isShort: Bool) throws -> [BenchResult] {
    try DescriptorLimit.raise()
    var results: [BenchResult] = []
    var allocations: [Int: UInt64] = [:]
    for (count, limit) in [(100, nil), (1_000, 1_500), (10_000, 2_000)] as [(Int, Int64?)] {
      let rounds = isShort ? 7 : 25
      let baseline = try measureBaseline(count, rounds: rounds)
      let own = try measureDaemon(count, rounds: rounds)
      allocations[count] = own.allocations
      guard let limit else { continue }
      let ratio = Int64(own.nanoseconds * 1_000 / max(1, baseline))
      results.append(
        BenchResult(
          name: "one round over \(count) clients",
          thousandths: Int64(own.nanoseconds) / 1_000,
          unit: "ms",
          baseline: "epoll server in C, \(baseline / 1_000) us",
          ratio: ratio,
          target: "ratio <= \(limit / 1_000).\(limit % 1_000 / 100)",
          isMet: ratio <= limit,
          note: "median of \(rounds) rounds"
        )
      )
    }
    let few = allocations[100] ?? 0
    let many = allocations[1_000] ?? 0
    results.append(
      BenchResult(
        name: "allocations of a round over 1,000 clients",
        thousandths: Int64(many) * 1_000,
        unit: "allocations",
        baseline: "a round over 100 clients, \(few)",
        target: "no more than over 100 clients",
        isMet: many <= few
      )
    )
    return results
  }

  // MARK: - The daemon

  private static func measureDaemon(
    _ count: Int,
    rounds: Int
  ) throws -> (nanoseconds: UInt64, allocations: UInt64) {
    let path = "/tmp/ucmk-bench-\(getpid()).sock"
    let listener = try UnixListener(binding: path, mode: 0o600, backlog: 4_096)
    let daemon = try makeDaemon()
    let pid = unsafe bench_start_clients(path, Int32(count))
    precondition(pid > 0, "the clients' process starts")
    defer { bench_stop_clients(pid) }
    while daemon.totals.caches < count {
      daemon.accept(from: listener)
      daemon.serveSockets(timeout: 1)
    }
    var spans: [UInt64] = []
    var allocations: [UInt64] = []
    for round in 0..<rounds + 3 {
      let before = bench_allocations()
      let start = MonotonicClock.now()
      serveRound(of: daemon, clients: count)
      let span = MonotonicClock.now().since(start).nanoseconds
      // The first rounds grow buffers that are kept.
      if round >= 3 {
        spans.append(span)
        allocations.append(bench_allocations() - before)
      }
      let closed = MonotonicClock.now() + .microseconds(UInt64(pause))
      while daemon.hasOpenRound || MonotonicClock.now() < closed {
        usleep(10_000)
        daemon.wake()
      }
    }
    return (median(spans), median(allocations))
  }

  /// Asks all clients for half of what they hold, and reads until each has answered.
  static func serveRound(of daemon: Daemon, clients: Int) {
    let wanted = daemon.answersTaken + UInt64(clients)
    daemon.requestRound(
      RoundRequest(
        bytes: .mebibytes(UInt64(clients) * 4),
        level: .medium,
        scope: .manual,
        dryRun: false
      )
    )
    while daemon.answersTaken < wanted { daemon.serveSockets(timeout: 100) }
  }

  static func makeDaemon() throws -> Daemon {
    var settings = Settings()
    settings.connections = Settings.connectionsMaximum
    settings.connectionsPerUser = Settings.connectionsMaximum
    let surroundings = Daemon.Surroundings(
      files: KernelFiles(cgroup: nil),
      registry: NoRegistry(),
      now: { MonotonicClock.now() },
      wallMicroseconds: { WallClock.microseconds() },
      log: { _ in },
      loadSettings: { .valid(settings) },
      isUserInstance: false,
      ownUser: 0
    )
    let daemon = try Daemon(settings: settings, surroundings: surroundings, recorder: Recorder())
    daemon.start()
    return daemon
  }

  // MARK: - The baseline

  private static func measureBaseline(_ count: Int, rounds: Int) throws -> UInt64 {
    let path = "/tmp/ucmk-bench-\(getpid()).sock"
    let listener = try UnixListener(binding: path, mode: 0o600, backlog: 4_096)
    let pid = unsafe bench_start_clients(path, Int32(count))
    precondition(pid > 0, "the clients' process starts")
    defer { bench_stop_clients(pid) }
    guard let handle = unsafe bench_baseline_begin(listener.raw, Int32(count)) else {
      preconditionFailure("the baseline accepts its clients")
    }
    defer { unsafe bench_baseline_end(handle) }
    var spans: [UInt64] = []
    for round in 0..<rounds + 3 {
      let span = unsafe bench_baseline_round(handle, UInt64(round + 1))
      precondition(span > 0, "every client answers")
      if round >= 3 { spans.append(span) }
      // The daemon's rounds lie as far apart, for they settle and are measured: both sides then
      // find processors that slept.
      usleep(pause)
    }
    return median(spans)
  }
}

/// Watches nothing: the measurement is about rounds by hand.
private final class NoRegistry: SourceRegistry {
  func add(
    _ fd: Int32,
    _ events: EpollEvents,
    _ handler: @escaping (EpollEvents) -> Void
  ) throws(SystemError) -> any WatchedSource { NoSource() }
}

private final class NoSource: WatchedSource {
  func remove() {}
}
