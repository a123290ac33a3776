// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKBench
import Glibc
import UCMKControl
import UCMKLinux
import UCMKModel

/// What the daemon's process takes: memory with nobody and with many, wake-ups while nothing
/// happens.
struct FootprintBench {
  private let daemon: String
  private let scratch: String

  init(_ daemon: String) throws {
    self.daemon = daemon
    var template = Array("/tmp/ucmk-bench-XXXXXX".utf8CString)
    guard let path = unsafe mkdtemp(&template) else {
      throw SystemError(call: "mkdtemp", errno: errno)
    }
    scratch = unsafe String(cString: path)
  }

  func run(isShort: Bool) throws -> [BenchResult] {
    let settings = "\(scratch)/ucmkd.conf"
    let socket = "\(scratch)/ucmkd.sock"
    defer {
      _ = unsafe unlink(settings)
      _ = unsafe unlink(socket)
      _ = unsafe rmdir(scratch)
    }
    guard let file = unsafe fopen(settings, "w") else {
      throw SystemError(call: "fopen", path: settings, errno: errno)
    }
    unsafe fputs("[Limits]\nConnectionsPerUser=2000\n", file)
    unsafe fclose(file)
    let pid = try start(settings, socket)
    defer {
      kill(pid, SIGTERM)
      _ = waitpid(pid, nil, 0)
    }
    try wait { unsafe access(socket, F_OK) == 0 }
    sleep(1)
    let idle = try wakeUps(of: pid, seconds: isShort ? 5 : 30)
    let empty = status("VmRSS", of: pid)
    let clients = unsafe bench_start_clients(socket, 1_000)
    defer { bench_stop_clients(clients) }
    try wait { try registered(socket) == 1_000 }
    sleep(1)
    let full = status("VmRSS", of: pid)
    return [
      BenchResult(
        name: "idle: wake-ups in \(isShort ? 5 : 30) s without clients",
        thousandths: Int64(idle) * 1_000,
        unit: "wake-ups",
        target: "0",
        isMet: idle == 0
      ),
      memory("resident memory without clients", kibibytes: empty, limit: 8),
      memory("resident memory with 1,000 clients", kibibytes: full, limit: 10),
    ]
  }

  private func memory(_ name: String, kibibytes: UInt64, limit: UInt64) -> BenchResult {
    BenchResult(
      name: name,
      thousandths: Int64(kibibytes * 1_024 / 1_000),
      unit: "MB",
      target: "<= \(limit) MB",
      isMet: kibibytes * 1_024 <= limit * 1_000_000
    )
  }

  private func start(_ settings: String, _ socket: String) throws -> pid_t {
    let words = [daemon, "--socket", socket, "--config", settings, "--log-level", "error"]
    var vector: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) }
    unsafe vector.append(nil)
    var pid: pid_t = 0
    let result = unsafe posix_spawn(&pid, daemon, nil, nil, vector, environ)
    guard result == 0 else { throw SystemError(call: "posix_spawn", path: daemon, errno: result) }
    return pid
  }

  private func registered(_ socket: String) throws -> Int64 {
    let connection = try ControlConnection(paths: [socket], patience: .seconds(5))
    return try connection.call("daemon.status")["counts"]["caches"].integer ?? 0
  }

  private func wait(_ isTrue: () throws -> Bool) throws {
    for _ in 0..<1_000 {
      if try isTrue() { return }
      usleep(20_000)
    }
    throw SystemError(call: "waiting for the daemon", errno: ETIMEDOUT)
  }

  private func wakeUps(of pid: pid_t, seconds: UInt32) throws -> UInt64 {
    let before = status("voluntary_ctxt_switches", of: pid)
    sleep(seconds)
    return status("voluntary_ctxt_switches", of: pid) - before
  }

  /// The number behind `key` in the process's status file.
  private func status(_ key: String, of pid: pid_t) -> UInt64 {
    guard let file = unsafe fopen("/proc/\(pid)/status", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    while unsafe fgets(&line, 256, file) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) },
        as: UTF8.self
      )
      guard text.hasPrefix("\(key):") else { continue }
      let digits = text.dropFirst(key.count + 1).filter(\.isNumber)
      return UInt64(digits) ?? 0
    }
    return 0
  }
}
