// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

@testable import UCMKCore

/// The split by sorting all marks: the plain way, against which the quick one is held.
struct SortedSplit {
  private struct Mark {
    var height: UInt64, weight: UInt64
    var index: Int
    var isExhausted: Bool
  }

  private(set) var parts: [UInt64]

  init(_ target: UInt64, over claims: [Claim]) {
    parts = claims.map(\.cap)
    let capacity = claims.reduce(UInt128(0)) { $0 + UInt128($1.cap) }
    guard UInt128(target) < capacity else { return }
    parts = claims.map { _ in 0 }
    guard target > 0 else { return }
    let (numerator, denominator) = Self.level(target, claims)
    var fractions: [(rest: UInt128, index: Int)] = []
    for (index, claim) in claims.enumerated() where claim.cap > 0 {
      // Everything times the denominator, so that nothing is rounded yet.
      let size = UInt128(claim.size) * denominator
      let kept = numerator * UInt128(claim.weight)
      guard size > kept else { continue }
      let (whole, rest) = (size - kept).quotientAndRemainder(dividingBy: denominator)
      parts[index] = UInt64(min(whole, UInt128(claim.cap)))
      if whole < UInt128(claim.cap), rest > 0 { fractions.append((rest, index)) }
    }
    fractions.sort { $0.rest != $1.rest ? $0.rest > $1.rest : $0.index < $1.index }
    for fraction in fractions.prefix(Int(target - parts.reduce(0, +))) {
      parts[fraction.index] += 1
    }
  }

  private static func level(_ target: UInt64, _ claims: [Claim]) -> (UInt128, UInt128) {
    var marks: [Mark] = []
    for (index, claim) in claims.enumerated() where claim.cap > 0 {
      let end = claim.size - claim.cap
      marks.append(Mark(height: claim.size, weight: claim.weight, index: index, isExhausted: false))
      marks.append(Mark(height: end, weight: claim.weight, index: index, isExhausted: true))
    }
    marks.sort { left, right in
      let (one, other) = (
        UInt128(left.height) * UInt128(right.weight), UInt128(right.height) * UInt128(left.weight)
      )
      if one != other { return one > other }
      if left.isExhausted != right.isExhausted { return right.isExhausted }
      return left.index < right.index
    }
    var (caps, sizes, weights) = (UInt128(0), UInt128(0), UInt128(0))
    for mark in marks {
      let whole = caps + sizes
      if whole >= UInt128(target), weights > 0,
        (whole - UInt128(target)) * UInt128(mark.weight) >= UInt128(mark.height) * weights
      {
        break
      }
      let claim = claims[mark.index]
      if mark.isExhausted {
        (caps, sizes) = (caps + UInt128(claim.cap), sizes - UInt128(claim.size))
        weights -= UInt128(claim.weight)
      } else {
        sizes += UInt128(claim.size)
        weights += UInt128(claim.weight)
      }
    }
    return (caps + sizes - UInt128(target), weights)
  }
}
