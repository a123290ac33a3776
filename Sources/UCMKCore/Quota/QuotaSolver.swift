// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// All rules by which a target can be split: one file for each, one line here.
///
/// Whatever the rule, the parts add up to min(target, sum of the caps) to the byte, nobody gives
/// more than its cap, and the same claims give the same parts. A suite of tests holds every rule to
/// that; the laws of fairness are those of level-down alone.
struct QuotaSolver: Sendable {
  /// The level of the last split, where the rule has one and it gave anything.
  private(set) var level: QuotaLevel?

  private var levelDown = LevelDownPolicy()
  private var proportional = ProportionalPolicy()
  private var kernel = KernelPolicy()
  private var band = BandPolicy()

  /// Makes room for splits over `count` parties.
  mutating func reserve(_ count: Int) {
    levelDown.reserve(count)
    proportional.reserve(count)
    kernel.reserve(count)
    band.reserve(count)
  }

  /// Splits `target` over the claims in `range`, writing each `part`.
  ///
  /// - Returns: The sum of the parts: min(target, sum of the caps).
  mutating func split(
    _ target: UInt64,
    by rule: QuotaRule,
    over claims: inout [Claim],
    in range: Range<Int>
  ) -> UInt64 {
    level = nil
    switch rule {
    case .levelDown:
      let given = levelDown.split(target, over: &claims, in: range)
      level = levelDown.level
      return given
    case .proportional: return proportional.split(target, over: &claims, in: range)
    case .kernel: return kernel.split(target, over: &claims, in: range)
    case .band: return band.split(target, over: &claims, in: range)
    }
  }
}
