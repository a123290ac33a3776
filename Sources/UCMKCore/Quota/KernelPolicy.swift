// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// How many objects the kernel asks a shrinker for: the law of `do_shrink_slab` (`mm/shrinker.c`).
///
///     delta      = (freeable >> priority) · 4 / seeks        freeable / 2 where seeks is 0
///     total      = min((deferred >> priority) + delta, 2 · freeable)
///     deferred'  = clamp(deferred + delta - scanned, 0, 2 · freeable)
///
/// The kernel scans in batches of 128 objects and defers what does not fill one; here the smallest
/// quota does that work.
struct ShrinkerLaw: Sendable, Equatable {
  /// `DEF_PRIORITY`: where reclaim begins; 0 is despair.
  static let firstPriority: UInt64 = 12
  /// `DEFAULT_SEEKS`, in parts of ten thousand.
  static let defaultSeeks: UInt64 = 20_000

  /// Objects that could be freed.
  var freeable: UInt64
  /// What one object costs to make again, in seeks of the disk, in parts of ten thousand.
  var seeks: UInt64 = ShrinkerLaw.defaultSeeks
  /// Work left over from earlier calls.
  var deferred: UInt64 = 0

  /// New work at `priority`, 0…63.
  func delta(_ priority: UInt64) -> UInt64 {
    guard seeks > 0 else { return freeable / 2 }
    let work = UInt128(freeable >> priority) * 40_000 / UInt128(seeks)
    return UInt64(clamping: work)
  }

  /// New and old work at `priority`.
  func total(_ priority: UInt64) -> UInt64 {
    let sum = UInt128(deferred >> priority) + UInt128(delta(priority))
    return UInt64(min(sum, 2 * UInt128(freeable), UInt128(UInt64.max)))
  }

  /// The work left over once `scanned` objects were looked at.
  func rest(after scanned: UInt64, _ priority: UInt64) -> UInt64 {
    let work = UInt128(deferred) + UInt128(delta(priority))
    let left = work > UInt128(scanned) ? work - UInt128(scanned) : 0
    return UInt64(min(left, 2 * UInt128(freeable), UInt128(UInt64.max)))
  }
}

/// Asks as the kernel asks its own caches: at falling priority, everybody for a part of what it
/// could free, the dear ones for less, until there is enough.
///
/// The objects are bytes. A weight of 100 shares at the median cost counts as two seeks. In the
/// pass that reaches the target everybody gives the same part of what the law wants of it, where
/// the kernel would stop in the middle of its list: the order of clients decides nothing. What the
/// last priority leaves over is taken in proportion to what is left.
struct KernelPolicy: Sendable {
  /// The weight of one ten-thousandth of a seek.
  static let weightOfSeek: UInt64 = 50

  private var proportion = Proportion()
  private var laws: [ShrinkerLaw] = []
  private var wanted: [UInt64] = []

  /// Makes room for splits over `count` parties.
  mutating func reserve(_ count: Int) {
    proportion.reserve(count)
    laws.makeRoom(for: count)
    wanted.makeRoom(for: count)
  }

  /// Splits `target` over the claims in `range`; returns min(target, sum of the caps).
  mutating func split(
    _ target: UInt64,
    over claims: inout [Claim],
    in range: Range<Int>
  ) -> UInt64 {
    laws.clear()
    var capacity: UInt128 = 0
    for index in range {
      claims[index].part = 0
      let claim = claims[index]
      let seeks = max(1, claim.weight / Self.weightOfSeek)
      laws.append(ShrinkerLaw(freeable: claim.cap, seeks: seeks, deferred: claim.deferred))
      capacity += UInt128(claim.cap)
    }
    let given = UInt64(min(UInt128(target), capacity))
    var left = given
    for step in 0...ShrinkerLaw.firstPriority where left > 0 {
      left -= pass(ShrinkerLaw.firstPriority - step, left, &claims, range)
    }
    guard left > 0 else { return given }
    wanted.clear()
    for law in laws { wanted.append(law.freeable) }
    proportion.add(left, by: wanted, to: &claims, in: range)
    return given
  }

  /// One pass over everybody; returns what it took of `left`.
  private mutating func pass(
    _ priority: UInt64,
    _ left: UInt64,
    _ claims: inout [Claim],
    _ range: Range<Int>
  ) -> UInt64 {
    wanted.clear()
    var sum: UInt128 = 0
    for law in laws {
      let part = min(law.total(priority), law.freeable)
      wanted.append(part)
      sum += UInt128(part)
    }
    guard sum < UInt128(left) else {
      proportion.add(left, by: wanted, to: &claims, in: range)
      return left
    }
    for (place, index) in range.enumerated() {
      claims[index].part += wanted[place]
      laws[place].deferred = laws[place].rest(after: wanted[place], priority)
      laws[place].freeable -= wanted[place]
    }
    return UInt64(sum)
  }
}
