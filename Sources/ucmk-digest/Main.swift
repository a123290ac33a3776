// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Runs a scripted stream of events through the core and prints how many effects came of it, and a
/// digest of all that they say.
///
/// The lines are the same in every build, debug, release and Embedded: `Scripts/check-replay`
/// compares them.
@main
struct Main {
  static func main() {
    for seed in 1...4 as ClosedRange<UInt64> {
      var run = ScriptedRun(seed: seed)
      for _ in 0..<6_000 { run.step() }
      print("seed \(seed): \(run.digest.effects) effects, \(run.rounds) rounds, ", terminator: "")
      print("digest \(run.digest.value)")
    }
  }
}
