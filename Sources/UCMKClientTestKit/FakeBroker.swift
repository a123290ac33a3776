// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Synchronization
public import UCMKClient
import UCMKLinux
public import UCMKModel
import UCMKProtocol

/// A daemon inside the test: it asks when the test says so, and lets the test wait for what the
/// client does.
///
/// It needs neither root nor pressure, and never sleeps.
///
/// Every wait ends after ``patience`` with ``FakeBrokerError/timedOut(waitingFor:)``.
public final class FakeBroker: Sendable {
  /// Where it listens, in a folder of its own.
  public let socketPath: String
  /// How long a wait lasts at most.
  public let patience: TimeSpan

  private let folder: TemporaryFolder
  let state: BrokerState
  private let thread: SmallThread

  /// Starts to listen.
  ///
  /// - Parameters:
  ///   - heartbeat: What the client is told of `heartbeat_ms`.
  ///   - patience: How long a wait lasts at most.
  /// - Throws: ``FakeBrokerError/cannotStart(_:)``.
  public init(
    heartbeat: TimeSpan = .seconds(15),
    patience: TimeSpan = .seconds(60)
  ) throws(FakeBrokerError) {
    self.patience = patience
    folder = try TemporaryFolder()
    let path = folder.path + "/ucmkd.sock"
    socketPath = path
    do {
      let listener = try UnixListener(binding: path, mode: 0o600)
      let state = try BrokerState(heartbeat: heartbeat)
      self.state = state
      // From here on only the thread touches it.
      nonisolated(unsafe) let handedOver = BrokerThread(state, listener, path: path)
      thread = try SmallThread(name: "fake-broker", stack: 1 << 20) { unsafe handedOver.run() }
    } catch {
      throw .cannotStart("\(error)")
    }
  }

  deinit { stop() }

  /// Ends the broker; whoever waits gets ``FakeBrokerError/stopped``.
  public func stop() { state.change { $0.isStopped = true } }

  /// Waits until `look` finds something in what was heard.
  func wait<Value: Sendable>(
    for what: String,
    _ look: @escaping @Sendable (inout BrokerLog) -> Value?
  ) async throws -> Value {
    let deadline = MonotonicInstant.now + patience
    return try await withCheckedThrowingContinuation { continuation in
      let isStopped = state.shared.withLock { shared in
        if shared.log.isStopped { return true }
        shared.waiters.append(
          BrokerState.Waiter(
            what: what,
            deadline: deadline,
            look: { log in
              guard let value = look(&log) else { return false }
              continuation.resume(returning: value)
              return true
            },
            fail: { continuation.resume(throwing: $0) }
          )
        )
        return false
      }
      if isStopped { continuation.resume(throwing: FakeBrokerError.stopped) }
      state.bell.signal()
    }
  }

  /// Writes a message to the newest live session; false where there is none.
  @discardableResult
  func send(_ write: (inout JSONWriter) -> Void) -> Bool {
    var writer = JSONWriter()
    write(&writer)
    let bytes = writer.bytes
    return state.change { log in
      guard let live = log.live else { return false }
      log.connections[live].outbox += bytes
      return true
    }
  }
}

/// Runs `body` with a broker and a client that is connected to it.
///
/// The client never looks at the environment or at a pressure file, and comes back fast when a
/// connection is lost; the rest is as `configuration` says. Both end with `body`.
///
/// - Parameters:
///   - configuration: The client's; transport, fallback and reconnect are replaced.
///   - heartbeat: What the client is told of `heartbeat_ms`.
///   - body: The test.
/// - Returns: What `body` returns.
/// - Throws: What `body` throws, or ``FakeBrokerError/cannotStart(_:)``.
public func withFakeBroker<Result>(
  configuration: UCMKClient.Configuration = UCMKClient.Configuration(),
  heartbeat: TimeSpan = .seconds(15),
  _ body: (FakeBroker, UCMKClient) async throws -> Result
) async throws -> Result {
  let broker = try FakeBroker(heartbeat: heartbeat)
  var configuration = configuration
  configuration.transport = .unixSocket(path: broker.socketPath)
  configuration.fallback = .none
  configuration.reconnect = .milliseconds(5) ... .milliseconds(50)
  let client = UCMKClient(configuration: configuration)
  defer {
    client.shutdown()
    broker.stop()
  }
  return try await body(broker, client)
}
