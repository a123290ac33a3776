// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKClient
public import UCMKModel

// MARK: - What the client does

extension FakeBroker {
  /// Waits for a session: the `ordinal`th that said hello, the first being 1.
  @discardableResult
  public func session(_ ordinal: Int = 1) async throws -> BrokerSession {
    try await wait(for: "hello of session \(ordinal)") { log in
      log.sessions.count >= ordinal ? log.sessions[ordinal - 1] : nil
    }
  }

  /// Waits until a cache is registered on a connection that stands.
  @discardableResult
  public func registered(_ name: CacheName) async throws -> BrokerCache {
    try await wait(for: "registration of \(name)") { log in
      log.known(name.text)?.cache
    }
  }

  /// What the client declared of a cache; waits until it is registered and `condition` holds.
  public func declaration(
    of name: CacheName,
    where condition: @escaping @Sendable (CacheDeclaration) -> Bool = { _ in true }
  ) async throws -> CacheDeclaration {
    try await wait(for: "declaration of \(name)") { log in
      log.known(name.text).map(\.declaration).flatMap { condition($0) ? $0 : nil }
    }
  }

  /// Waits until the last thing said of a cache's usage meets `condition`.
  @discardableResult
  public func usage(
    of name: CacheName,
    where condition: @escaping @Sendable (CacheUsage) -> Bool
  ) async throws -> CacheUsage {
    try await wait(for: "usage of \(name)") { log in
      log.known(name.text).map(\.usage).flatMap { condition($0) ? $0 : nil }
    }
  }

  /// Waits until a cache was taken back.
  public func departed(_ name: CacheName) async throws {
    try await wait(for: "departure of \(name)") { log in
      log.departures.contains(name.text) ? () : nil
    }
  }

  /// Waits until the client has said good-bye.
  public func farewell() async throws {
    try await wait(for: "good-bye") { $0.farewells > 0 ? () : nil }
  }

  /// Waits until a connection has ended: the `ordinal`th that was made, the first being 1.
  public func disconnected(_ ordinal: Int) async throws {
    try await wait(for: "end of connection \(ordinal)") { log in
      log.connections.count >= ordinal && !log.connections[ordinal - 1].isOpen ? () : nil
    }
  }

  /// Waits for a line of the client's, as it came, that meets `condition`.
  public func line(where condition: @escaping @Sendable (String) -> Bool) async throws -> String {
    try await wait(for: "a line") { $0.lines.first(where: condition) }
  }

  /// Every report of a cache's usage so far, in order.
  public func reports(of name: CacheName) -> [CacheUsage] {
    state.change { log in log.reports.filter { $0.name == name.text }.map(\.usage) }
  }
}

// MARK: - Requests and their answers

extension FakeBroker {
  /// Asks for memory and waits for the answer.
  ///
  /// - Throws: ``FakeBrokerError/rejected(_:)`` where the client answers with an error.
  public func shrink(
    _ targets: [ShrinkTarget],
    _ terms: ShrinkTerms = ShrinkTerms()
  ) async throws -> ShrinkAnswer {
    try await answer(to: ask(targets, terms))
  }

  /// Waits for the answer to a request to shrink.
  public func answer(to request: PendingRequest) async throws -> ShrinkAnswer {
    let outcome = try await outcome(of: request)
    switch outcome {
    case .shrink(let answer): return answer
    case .rejected(let rejection): throw FakeBrokerError.rejected(rejection)
    case .done: throw FakeBrokerError.timedOut(waitingFor: "an answer with targets")
    }
  }

  /// Sends a ping and waits for the answer.
  public func ping() async throws {
    let request = nextRequest()
    sendLine(#"{"jsonrpc":"2.0","id":\#(request.id),"method":"ping","params":{}}"#)
    let outcome = try await outcome(of: request)
    if case .rejected(let rejection) = outcome { throw FakeBrokerError.rejected(rejection) }
  }

  /// Sends a request of any kind and waits for the error that it gets.
  ///
  /// - Parameters:
  ///   - method: Its name.
  ///   - params: Its params, as JSON text.
  /// - Returns: The error.
  /// - Throws: ``FakeBrokerError``.
  public func rejection(
    of method: String,
    params: String
  ) async throws -> FakeBrokerError.Rejection {
    let request = nextRequest()
    sendLine(
      #"{"jsonrpc":"2.0","id":\#(request.id),"method":"\#(method)","params":\#(params)}"#
    )
    guard case .rejected(let rejection) = try await outcome(of: request) else {
      throw FakeBrokerError.timedOut(waitingFor: "an error in answer to \(method)")
    }
    return rejection
  }

  private func outcome(of request: PendingRequest) async throws -> BrokerLog.Outcome {
    try await wait(for: "answer to request \(request.id)") { $0.outcomes[request.id] }
  }

  func nextRequest() -> PendingRequest {
    state.change { log in
      log.lastRequest += 1
      return PendingRequest(id: log.lastRequest)
    }
  }
}

extension BrokerLog {
  /// The cache of this name on the newest connection that has it.
  func known(_ name: String) -> KnownCache? {
    for connection in connections.reversed() where connection.isOpen {
      if let known = connection.caches.first(where: { $0.cache.name == name }) { return known }
    }
    return nil
  }
}
