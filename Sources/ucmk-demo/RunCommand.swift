// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Glibc
import UCMKControl
import UCMKLinux
import UCMKModel

/// The demonstration: a private daemon, three programs with caches, and demand that grows until the
/// kernel reports pressure.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Start everything, let demand grow, show who gives back what."
  )

  @Option(help: "How the host is described in the report: cgroup2 or vm.")
  var mode = "cgroup2"

  @Option(help: "Where the report is written, as JSON.")
  var output = "demo.json"

  @Option(help: "The folder of the executables; by default that of this one.")
  var executables: String?

  func run() throws {
    guard ["cgroup2", "vm"].contains(mode) else {
      throw ValidationError("--mode wants cgroup2 or vm, not \(mode)")
    }
    let folder = try executables ?? RunCommand.ownFolder()
    if try enterScope(folder) { return }
    do {
      let stage = try DemoStage(folder: folder)
      defer { stage.clear() }
      let report = try DemoStory(stage, mode: mode).tell()
      try report.write(to: output)
      ChildOutput.tell(report.summary)
      guard report.isGood else { throw ExitCode(1) }
    } catch let problem as DemoProblem {
      ChildOutput.tell("ucmk-demo: \(problem)\n")
      throw ExitCode(69)
    }
  }

  /// Where systemd runs, the demonstration runs in a scope that it is given for itself, so that it
  /// touches no cgroup but those that it makes below.
  ///
  /// - Returns: Whether the demonstration ran in the scope, as another process.
  private func enterScope(_ folder: String) throws -> Bool {
    guard Environment.value("UCMK_DEMO_SCOPE") == nil,
      unsafe access("/run/systemd/system", F_OK) == 0
    else { return false }
    unsafe setenv("UCMK_DEMO_SCOPE", "1", 1)
    var words = ["systemd-run", "--quiet", "--scope", "--property=Delegate=yes"]
    if geteuid() != 0 { words.append("--user") }
    words += ["--", "\(folder)/ucmk-demo", "run", "--mode", mode, "--output", output]
    words += ["--executables", folder]
    var vector: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) }
    unsafe vector.append(nil)
    unsafe execvp("systemd-run", &vector)
    throw DemoProblem("systemd-run cannot be started: \(unsafe String(cString: strerror(errno)))")
  }

  private static func ownFolder() throws -> String {
    let files = KernelFiles(cgroup: nil)
    guard let path = try ProcessReader.executable(of: .init(getpid()), files),
      let slash = path.lastIndex(of: "/")
    else { throw DemoProblem("the folder of this executable is not known; use --executables") }
    return String(path[..<slash])
  }
}
