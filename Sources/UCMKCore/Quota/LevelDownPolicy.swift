// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

/// Level-down with a tax on idle memory: a cold byte weighs an eighth of one in use.
///
/// A party with cold bytes stands in the split twice, so that cold bytes of everybody go before
/// bytes in use of anybody who is not far above its share (Waldspurger, OSDI 2002, §5.2):
///
///     cold     size = cold + hot / k      cap = cold            weight = w
///     in use   size = hot                 cap = cap - cold      weight = k · w
///
/// The first is exhausted at hot / (k · w), which is where the second begins to give: a party's
/// cold bytes always go first. Where nobody tells of cold bytes this is plain level-down.
struct LevelDownPolicy: Sendable {
  /// The level of the last split; nil where it gave nothing.
  var level: QuotaLevel? { solver.level }

  private let tax: UInt64
  private var solver = LevelDown()
  private var elements: [Claim] = []

  /// Makes a policy with k = `tax`; 1 takes cold bytes as any other.
  init(tax: UInt64 = Defaults.idleTax) {
    precondition(tax > 0, "a cold byte weighs something")
    self.tax = tax
  }

  /// Makes room for splits over `count` parties.
  mutating func reserve(_ count: Int) {
    solver.reserve(2 * count)
    elements.makeRoom(for: 2 * count)
  }

  /// Splits `target` over the claims in `range`; returns min(target, sum of the caps).
  mutating func split(
    _ target: UInt64,
    over claims: inout [Claim],
    in range: Range<Int>
  ) -> UInt64 {
    var hasCold = false
    for index in range where claims[index].cold > 0 { hasCold = true }
    guard hasCold else { return solver.split(target, over: &claims, in: range) }
    elements.clear()
    for index in range {
      let claim = claims[index]
      let cold = min(claim.cold, claim.cap)
      let hot = claim.size - cold
      let weight = min(claim.weight * tax, UInt64(UInt32.max))
      elements.append(Claim(size: cold + hot / tax, cap: cold, weight: claim.weight))
      elements.append(Claim(size: hot, cap: claim.cap - cold, weight: weight))
    }
    let given = solver.split(target, over: &elements, in: 0..<elements.count)
    for (place, index) in range.enumerated() {
      claims[index].part = elements[2 * place].part + elements[2 * place + 1].part
    }
    return given
  }
}
