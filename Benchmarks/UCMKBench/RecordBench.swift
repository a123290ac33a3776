// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKBench
import Glibc
import UCMKCore
import UCMKDaemon
import UCMKLinux
import UCMKModel

/// What `--record` takes of the daemon's thread in a round over 1,000 clients.
///
/// Whole rounds with and without take turns on the same connections; they differ by less than they
/// vary. So what counts is the time that the events of a round take in the recorder, with a file
/// and without: processor time of the thread, of each kind the faster half.
enum RecordBench {
  private static let clients = 1_000

  static func run(isShort: Bool) throws -> [BenchResult] {
    try DescriptorLimit.raise()
    let path = "/tmp/ucmk-bench-\(getpid()).sock"
    let listener = try UnixListener(binding: path, mode: 0o600, backlog: 4_096)
    let daemon = try RoundBench.makeDaemon()
    let pid = unsafe bench_start_clients(path, Int32(clients))
    precondition(pid > 0, "the clients' process starts")
    defer { bench_stop_clients(pid) }
    while daemon.totals.caches < clients {
      daemon.accept(from: listener)
      daemon.serveSockets(timeout: 1)
    }
    let file = unsafe open("\(path).rec", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    precondition(file >= 0, "the recording can be made")
    defer {
      close(file)
      unsafe unlink("\(path).rec")
    }
    var other = Recorder(
      thread: try RecordingThread { lines in write(lines, to: file) }
    )
    other.markHead()
    var spans: [[UInt64]] = [[], []]
    let rounds = isShort ? 20 : 60
    for round in 0..<rounds + 6 {
      let span = measure(daemon)
      if round >= 6 { spans[round % 2].append(span) }
      swap(&daemon.recorder, &other)
    }
    other.finish(at: MonotonicClock.now())
    daemon.recorder.finish(at: MonotonicClock.now())
    let (without, with) = (typical(spans[0]), typical(spans[1]))
    let turns = isShort ? 40 : 200
    let extra = try recording(file, turns: turns)
    return [
      BenchResult(
        name: "recording a round over 1000 clients, what it adds to the daemon's thread",
        thousandths: Int64(extra),
        unit: "us",
        baseline: "the round without --record, \(without / 1_000) us",
        ratio: Int64(extra * 1_000 / max(1, without)),
        target: "ratio < 0.01",
        isMet: extra * 100 < without,
        note: "events of a round alone, \(turns) times; whole rounds in turns: \(with / 1_000) us"
      )
    ]
  }

  /// What the events of a round cost more with a file than without, on this thread.
  private static func recording(_ file: Int32, turns: Int) throws -> UInt64 {
    var plain = Recorder()
    var full = Recorder(thread: try RecordingThread { lines in write(lines, to: file) })
    plain.markHead()
    full.markHead()
    var spans: [[UInt64]] = [[], []]
    for turn in 1...turns {
      spans[0].append(events(turn, into: &plain))
      spans[1].append(events(turn, into: &full))
      // As between rounds: what was handed over is written.
      usleep(20_000)
    }
    full.finish(at: MonotonicClock.now())
    let (without, with) = (typical(spans[0]), typical(spans[1]))
    return with > without ? with - without : 0
  }

  /// Two readings of each process and an answer of each client, in turns of 64 events.
  private static func events(_ turn: Int, into recorder: inout Recorder) -> UInt64 {
    let now = MonotonicInstant(nanoseconds: UInt64(turn))
    let round = RoundID(UInt64(turn))
    let report = FreedReport(
      cache: CacheID(1),
      freed: .mebibytes(4),
      bytes: .mebibytes(4),
      reclaimable: .mebibytes(4),
      more: true
    )
    let reading = ProcessReading(resident: .mebibytes(100))
    let start = processorTime()
    for number in 1...UInt64(clients) {
      let client = ClientID(number)
      let process = ProcessID(Int32(number))
      recorder.record(.measured(process, reading), at: now)
      recorder.record(.freed(client, round, attempt: 1, report), at: now)
      recorder.record(.answered(client, round, attempt: 1), at: now)
      recorder.record(.measured(process, reading), at: now)
      if number % 16 == 0 { recorder.flush() }
    }
    recorder.flush()
    return processorTime() - start
  }

  private static func write(_ lines: [UInt8], to file: Int32) -> Bool {
    unsafe lines.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
      == lines.count
  }

  /// Processor time of this thread for one round.
  private static func measure(_ daemon: Daemon) -> UInt64 {
    let start = processorTime()
    RoundBench.serveRound(of: daemon, clients: clients)
    let span = processorTime() - start
    while daemon.hasOpenRound {
      usleep(10_000)
      daemon.wake()
    }
    usleep(50_000)
    return span
  }

  private static func processorTime() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// The mean of the faster half: what the machine does beside only ever adds.
  private static func typical(_ spans: [UInt64]) -> UInt64 {
    let faster = spans.sorted().prefix(max(1, spans.count / 2))
    return faster.reduce(0, +) / UInt64(faster.count)
  }
}
