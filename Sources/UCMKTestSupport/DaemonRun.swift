// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import Glibc
package import UCMKLinux
package import UCMKModel

/// One run of the real `ucmkd`, on a socket of its own and below roots of its own or on this host.
///
/// What it prints goes to files. It ends with the object at the latest.
package final class DaemonRun {
  /// Where its files lie; its socket is `s`.
  package let tree: FileTree
  /// The process.
  package let program: ProgramRun

  /// Where `ucmkd` was built; nil where it was not.
  package static let executable = ProgramRun.built("ucmkd")

  /// Starts `ucmkd` with these arguments alone, or `program` in its place.
  ///
  /// It finds `PATH`, `HOME` and `environment`; its standard input is `input`, or nothing.
  package init(
    _ tree: FileTree,
    bare arguments: [String],
    environment: [String] = [],
    program: String? = nil,
    input: OwnedDescriptor? = nil
  ) throws {
    guard let executable = program ?? DaemonRun.executable else { throw NotBuilt(name: "ucmkd") }
    self.tree = tree
    self.program = try ProgramRun(
      tree,
      executable,
      arguments,
      environment: environment,
      input: input
    )
  }

  /// Starts a user's instance on `tree`'s own roots and waits until it serves.
  package convenience init(
    _ tree: FileTree,
    _ more: [String] = [],
    environment: [String] = []
  ) throws {
    let arguments = DaemonRun.usual(tree) + more
    try self.init(tree, bare: arguments, environment: environment)
    try waitUntilServing()
  }

  /// Starts a user's instance that reads this host's own files, and waits until it serves.
  package convenience init(onHost tree: FileTree, settings: String) throws {
    tree.write("ucmkd.conf", settings)
    let arguments = ["--user", "--config", tree.path("ucmkd.conf"), "--socket", tree.path("s")]
    try self.init(tree, bare: arguments)
    try waitUntilServing()
  }

  /// The arguments of a user's instance on `tree`'s own roots.
  package static func usual(_ tree: FileTree) -> [String] {
    if !tree.exists("ucmkd.conf") { tree.write("ucmkd.conf", "") }
    return [
      "--user", "--config", tree.path("ucmkd.conf"), "--socket", tree.path("s"), "--proc",
      tree.proc, "--cgroup", tree.cgroup,
    ]
  }

  // MARK: - Talking to it

  /// A new connection.
  package func connect() throws -> WireClient { try WireClient(connectingTo: tree.path("s")) }

  /// A connection that said hello as one who looks and changes things.
  package func control() throws -> WireClient {
    let client = try connect()
    client.helloControl()
    return client
  }

  /// A member with one cache.
  package func member(_ name: String, bytes: Int) throws -> WireClient {
    let client = try connect()
    client.hello(name)
    client.register("cache", bytes: bytes)
    return client
  }

  // MARK: - The process

  /// Its number.
  package var pid: pid_t { program.pid }
  /// What it printed so far.
  package var output: String { program.output }
  /// What it complained of so far.
  package var errors: String { program.errors }

  /// Sends it a signal.
  package func signal(_ number: Int32) { program.signal(number) }

  /// Its exit code, as `ProgramRun.wait(within:)` says it.
  package func wait(within patience: TimeSpan = WireClient.patience) -> Int32? {
    program.wait(within: patience)
  }

  /// Ends it in order and returns its exit code.
  package func stop() -> Int32? { program.stop() }

  private func waitUntilServing() throws {
    let isServing = eventually {
      if wait(within: .zero) != nil { return true }
      do throws(SystemError) {
        withExtendedLifetime(try UnixStream.connect(tree.path("s"), nonblocking: true)) {}
        return true
      } catch {
        return false
      }
    }
    guard isServing, wait(within: .zero) == nil else { throw NotServing(errors: errors) }
  }
}

/// The daemon does not serve.
package struct NotServing: Error {
  /// What it complained of.
  package var errors: String
}
