// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing
import UCMKClient
import UCMKClientTestKit
import UCMKLinux
import UCMKModel

@Suite("without a daemon")
struct LocalPressureTests {
  /// A FIFO in a folder of its own: a pressure file that the test can press.
  final class PressureFIFO: Sendable {
    let folder: String
    var path: String { folder + "/pressure" }

    init() throws {
      var template = Array("/tmp/ucmk-fifo-XXXXXX".utf8CString)
      let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
        unsafe mkdtemp(buffer.baseAddress!) != nil
      }
      try #require(made)
      folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
      try #require(unsafe mkfifo(path, 0o600) == 0)
    }

    func press() throws {
      let file = unsafe open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
      try #require(file >= 0)
      #expect(unsafe write(file, "x", 1) == 1)
      close(file)
    }

    /// Whether the client has yet to take what was pressed.
    var isPressed: Bool {
      get throws {
        let file = OwnedDescriptor(unsafe open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC))
        var entries = [PollEntry(fd: file.raw, events: .in)]
        try pollDescriptors(&entries, timeout: 0)
        return entries[0].ready.contains(.in)
      }
    }

    deinit {
      _ = unsafe unlink(path)
      _ = unsafe rmdir(folder)
    }
  }

  private func client(_ configuration: UCMKClient.Configuration, watch: String?) -> UCMKClient {
    var environment = ClientEnvironment()
    environment.socket = "/dev/null"
    environment.pressureWatch = watch
    return UCMKClient(configuration: configuration, environment: environment)
  }

  @Test("pressure on the own file frees an eighth of each cache, once in two seconds")
  func fifo() async throws {
    // Where this machine let two seconds pass between the first press and the last, once more.
    for _ in 0..<20 where try await isJudged() { return }
    Issue.record("never were three presses taken within two seconds")
  }

  /// Presses three times; whether all were taken within two seconds, and so could be judged.
  private func isJudged() async throws -> Bool {
    let fifo = try PressureFIFO()
    let client = client(.init(), watch: fifo.path)
    defer { client.shutdown() }
    let cache = FakeCache(bytes: .mebibytes(80))
    let other = FakeCache(bytes: .mebibytes(8))
    var events = client.pressureEvents.makeAsyncIterator()
    let registrations = [client.register("a", cache: cache), client.register("b", cache: other)]
    // A FIFO that nobody has open forgets what is written to it.
    await client.wait { $0.pressureWatch == .watching(path: fifo.path) }
    let began = MonotonicInstant.now
    try fifo.press()
    let event = try #require(await events.next())
    #expect(event.level == .medium)
    #expect(event.round == 0)
    try fifo.press()
    try fifo.press()
    await client.wait { $0.requests >= 1 }
    while try fifo.isPressed { await Task.yield() }
    guard MonotonicInstant.now.since(began) < .seconds(2) else { return false }
    #expect(cache.bytes == .mebibytes(70))
    #expect(other.bytes == .mebibytes(7))
    #expect(cache.requests.count == 1)
    #expect(cache.requests[0].bytes == .mebibytes(10))
    #expect(cache.requests[0].round == 0)
    #expect(client.status().freed == .mebibytes(11))
    withExtendedLifetime(registrations) {}
    return true
  }

  @Test(
    "what the configuration and the environment switch off is not watched",
    arguments: [
      (UCMKClient.Configuration.Fallback.none, true), (.psi, true),
      (.memoryPressureWatch, false),
    ]
  )
  func off(fallback: UCMKClient.Configuration.Fallback, isSet: Bool) throws {
    let fifo = try PressureFIFO()
    var environment = ClientEnvironment()
    environment.pressureWatch = isSet ? fifo.path : nil
    let opened = LocalPressure.open(fallback, environment)
    #expect(opened?.path != fifo.path)
    if fallback != .psi { #expect(opened == nil) }
    environment.pressureWatch = "/dev/null"
    if fallback != .psi { #expect(LocalPressure.open(.automatic, environment) == nil) }
    environment.pressureWatch = "relative"
    #expect(LocalPressure.open(.automatic, environment) == nil)
    environment.pressureWatch = fifo.folder + "/missing"
    #expect(LocalPressure.open(.automatic, environment) == nil)
  }

  @Test("a client that is switched off registers and does nothing")
  func disabled() async {
    let client = client(.init(transport: .disabled), watch: nil)
    let cache = FakeCache(bytes: .mebibytes(80))
    let registration = client.register("a", cache: cache)
    registration.noteUsageChanged(cache.usage())
    registration.update(CachePolicy(share: 3))
    #expect(registration.limit == .none)
    #expect(client.status().connection == .disabled)
    #expect(client.status().caches == 1)
    var events = client.pressureEvents.makeAsyncIterator()
    #expect(await events.next() == nil)
    registration.cancel()
    #expect(client.status().caches == 0)
  }

  @Test("a cache registered after the end is not asked and harms nothing")
  func afterShutdown() {
    let client = client(.init(fallback: .none), watch: nil)
    client.shutdown()
    client.shutdown()
    let registration = client.register("late", cache: FakeCache(bytes: .mebibytes(1)))
    #expect(client.status().caches == 0)
    registration.cancel()
  }

  @Test("the daemon takes over from the pressure file, and hands back when it leaves")
  func takesOver() async throws {
    let fifo = try PressureFIFO()
    let broker = try FakeBroker()
    var environment = ClientEnvironment()
    environment.pressureWatch = fifo.path
    let client = UCMKClient(
      configuration: .init(
        transport: .unixSocket(path: broker.socketPath),
        reconnect: .milliseconds(5) ... .milliseconds(20)
      ),
      environment: environment
    )
    let registration = client.register("a", cache: FakeCache(bytes: .mebibytes(80)))
    try await broker.registered("a")
    #expect(client.status().pressureWatch == .none)
    broker.leave()
    try await broker.disconnected(1)
    await client.wait { $0.pressureWatch == .watching(path: fifo.path) }
    broker.comeBack()
    try await broker.session(2)
    try await broker.ping()
    #expect(client.status().pressureWatch == .none)
    client.shutdown()
    broker.stop()
    withExtendedLifetime(registration) {}
  }
}
