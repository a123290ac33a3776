// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// A program's side of `ucmkd`: it registers caches and is asked to shrink them.
///
/// Nothing here fails, blocks or calls back at once, and everything works without a daemon.
/// One client a process is enough; ``shared`` is made for that.
public final class UCMKClient: Sendable {
  /// ``ShrinkRequest``, for a program that also imports `UCMKProtocol`, whose message has the same
  /// name: the name of this module is that of this class, and cannot qualify it.
  public typealias Request = ShrinkRequest

  /// The client of this process, with the default configuration.
  public static let shared = UCMKClient()

  private let core: ClientCore

  /// Makes a client.
  ///
  /// Its threads start with the first cache, stream or ``run()``.
  public convenience init(configuration: Configuration = Configuration()) {
    self.init(configuration: configuration, environment: .process)
  }

  /// Makes a client that takes `environment` for the environment of the process.
  package init(configuration: Configuration, environment: ClientEnvironment) {
    core = ClientCore(configuration: configuration, environment: environment)
  }

  deinit { core.stop() }

  /// Registers a cache.
  ///
  /// - Parameters:
  ///   - name: What people see.
  ///   - policy: What the program wishes for it.
  ///   - cache: Whom to ask; kept until the registration is cancelled or let go of.
  /// - Returns: The registration, which ends with its last reference.
  public func register(
    _ name: CacheName,
    policy: CachePolicy = CachePolicy(),
    cache: some ShrinkableCache
  ) -> CacheRegistration {
    CacheRegistration(core.register(name, policy, cache), of: self)
  }

  /// Registers a cache that is two closures, called on the client's workers, one at a time.
  ///
  /// - Parameters:
  ///   - name: What people see.
  ///   - policy: What the program wishes for it.
  ///   - usage: Says how large the cache is.
  ///   - shrink: Frees what it is asked, or less; throws ``ShrinkRefusal`` to refuse.
  /// - Returns: The registration, which ends with its last reference.
  public func register(
    _ name: CacheName,
    policy: CachePolicy = CachePolicy(),
    usage: @escaping @Sendable () async -> CacheUsage,
    shrink: @escaping @Sendable (ShrinkRequest) async throws -> ShrinkResult
  ) -> CacheRegistration {
    let cell = core.register(name, policy, ClosureCache(usage: usage, shrink: shrink))
    return CacheRegistration(cell, of: self)
  }

  /// Registers a cache for as long as `body` runs.
  ///
  /// - Parameters:
  ///   - name: What people see.
  ///   - policy: What the program wishes for it.
  ///   - cache: Whom to ask.
  ///   - body: What runs meanwhile.
  /// - Returns: What `body` returns.
  public func withRegistered<Result>(
    _ name: CacheName,
    policy: CachePolicy = CachePolicy(),
    cache: some ShrinkableCache,
    _ body: () async throws -> Result
  ) async rethrows -> Result {
    let registration = register(name, policy: policy, cache: cache)
    defer { registration.cancel() }
    return try await body()
  }

  /// The changes of pressure from now on, the all-clear among them.
  ///
  /// Each call makes a stream of its own. It keeps the newest 8 events for a slow reader.
  public var pressureEvents: AsyncStream<PressureEvent> { core.pressureEvents() }

  /// What the client is doing now.
  public func status() -> ClientStatus { core.status }

  /// Waits until the status meets `condition`, which runs on the socket thread: for our own tests.
  package func wait(until condition: @escaping @Sendable (ClientStatus) -> Bool) async {
    await core.wait(until: condition)
  }

  /// Runs until the task is cancelled, then shuts the client down: the body of a service in a
  /// life cycle such as that of swift-service-lifecycle.
  public func run() async {
    await withTaskCancellationHandler {
      await core.runUntilStopped()
    } onCancel: {
      core.stop()
    }
  }

  /// Says good-bye to the daemon and ends the client's threads; caches are not asked any more.
  public func shutdown() { core.stop() }
}

/// A cache's place with the client.
///
/// Ends when it is cancelled or its last reference goes.
public final class CacheRegistration: Sendable {
  private let cell: CacheCell
  /// A registered cache is asked for as long as the registration lives, also where the program
  /// keeps no other reference to its client.
  private let client: UCMKClient

  init(_ cell: CacheCell, of client: UCMKClient) {
    self.cell = cell
    self.client = client
  }

  deinit { cell.cancel() }

  /// Takes the cache back.
  ///
  /// A shrinker that runs ends by itself.
  public func cancel() { cell.cancel() }

  /// Changes what the program wishes for the cache.
  public func update(_ policy: CachePolicy) { cell.update(policy) }

  /// Tells how large the cache is now: cheap, to be called whenever it is known.
  ///
  /// What is worth a report is told to the daemon, at most ten times a second.
  public func noteUsageChanged(_ usage: CacheUsage) { cell.noteUsage(usage) }

  /// The size that the cache may grow to.
  public var limit: MemoryLimit { cell.limit }
}
