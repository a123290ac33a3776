// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import UCMKSim

/// A recorded trace.
struct TraceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trace",
    abstract: "Shrink caches in the middle of a recorded trace; hit ratios before and after.",
    discussion: """
      The file has a request a line: time, object and size, divided by commas. Samples that can be \
      had freely are too small to say which rule is better; they show how it all fits together.
      """
  )

  @Argument(help: "The trace.")
  var file: String

  @Option(help: "How many caches share its objects.")
  var caches = 8

  @Option(help: "What each of them may hold, in KiB.")
  var kibibytes: UInt64 = 1_024

  @Option(help: "The part of what they hold that is asked for, in percent.")
  var percent: UInt64 = 30

  func validate() throws {
    guard caches > 0, percent <= 100, kibibytes > 0, kibibytes < 1 << 40 else {
      throw ValidationError("caches and kibibytes must be positive, percent at most 100")
    }
  }

  func run() throws {
    let bytes = try Output.read(file)
    let requests: [TraceRequest]
    do throws(TraceError) {
      requests = try TraceReader.read(bytes)
    } catch {
      throw Output.failure("\(file), \(error)", code: 78)
    }
    let study = TraceStudy(caches: caches, bytes: kibibytes << 10, percent: percent)
    try Output.print(TraceStudy.lines(study.run(requests)))
  }
}
