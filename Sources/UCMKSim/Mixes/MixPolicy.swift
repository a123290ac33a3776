// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Ways to split a target over the caches of a mix.
package enum MixPolicy: String, Sendable, CaseIterable {
  /// Everybody drops everything, or the biggest are killed until it is enough.
  case dropAll = "drop all", killBiggest = "kill biggest"
  /// Whatever was used longest ago goes first, whoever holds it, as the kernel would page.
  case kernelLRU = "kernel-like LRU"
  /// Everybody gives the same part, or the same number of bytes.
  case proportional, equalLoss = "equal loss"
  /// Proportional to size over cost: the kernel's shrinkers with their seeks.
  case seeks = "seeks-proportional"
  /// The daemon's split with equal costs, with costs that the administrator or a measurement
  /// vouches for, and with costs that clients declare.
  case maxMin = "max-min", vouched = "max-min x cost, clamp 8", declared = "max-min x cost, clamp 2"
  /// At most half more or less than max-min, the cheapest first.
  case band = "band 1/2"
  /// The least loss that can be had by anybody who knows all curves.
  case optimum

  /// What each cache gives so that together they give `target`, or more where the policy is blunt.
  func parts(of target: Double, from mix: CacheMix) -> [Double] {
    let sizes = mix.caches.map(\.size)
    switch self {
    case .dropAll: return sizes
    case .killBiggest: return MixPolicy.killBiggest(target, sizes)
    case .kernelLRU: return MixPolicy.oldestFirst(target, mix)
    case .proportional: return sizes.map { $0 * target / mix.total }
    case .equalLoss: return MixPolicy.fill(target, caps: sizes, shares: sizes.map { _ in 1 })
    case .seeks:
      let costs = MixPolicy.relativeCosts(mix)
      return MixPolicy.fill(target, caps: sizes, shares: zip(sizes, costs).map { $0 / $1 })
    case .maxMin: return BrokerSplit(mix, costs: .equal).parts(of: target)
    case .vouched: return BrokerSplit(mix, costs: .vouched).parts(of: target)
    case .declared: return BrokerSplit(mix, costs: .declared).parts(of: target)
    case .band: return MixPolicy.cheapestInBand(target, mix)
    case .optimum: return MixPolicy.leastLoss(target, mix)
    }
  }

  /// What a byte of each cache is worth over the median, from an eighth to eight.
  static func relativeCosts(_ mix: CacheMix) -> [Double] {
    let densities = mix.caches.map(\.density)
    let middle = median(densities)
    return densities.map { min(8, max(0.125, $0 / middle)) }
  }

  private static func killBiggest(_ target: Double, _ sizes: [Double]) -> [Double] {
    var parts = sizes.map { _ in 0.0 }
    var left = target
    for index in sizes.indices.sorted(by: { sizes[$0] > sizes[$1] }) where left > 0 {
      parts[index] = sizes[index]
      left -= sizes[index]
    }
    return parts
  }

  /// Gives each its share of `target` and what exceeds a cap to the others.
  static func fill(_ target: Double, caps: [Double], shares: [Double]) -> [Double] {
    var parts = caps.map { _ in 0.0 }
    var left = target
    var rest = shares.reduce(0, +)
    let order = caps.indices.sorted { caps[$0] * shares[$1] < caps[$1] * shares[$0] }
    for index in order {
      parts[index] = min(caps[index], left * shares[index] / rest)
      left -= parts[index]
      rest -= shares[index]
    }
    return parts
  }

  /// One age for all: what was not used since then goes.
  private static func oldestFirst(_ target: Double, _ mix: CacheMix) -> [Double] {
    let kept = mix.total - target
    var young = 1e-3
    var old = 1e9
    for _ in 0..<60 {
      let age = (young * old).squareRoot()
      let held = mix.caches.reduce(0) { $0 + $1.touched(within: age) }
      if held < kept { young = age } else { old = age }
    }
    return mix.caches.map { $0.size - $0.touched(within: old) }
  }

  private static func cheapestInBand(_ target: Double, _ mix: CacheMix) -> [Double] {
    let fair = BrokerSplit(mix, costs: .equal).parts(of: target)
    var parts = fair.map { $0 / 2 }
    var left = fair.reduce(0, +) - parts.reduce(0, +)
    let prices = mix.caches.map { cache in
      (cache.loss(holding: 0.75 * cache.size) - cache.loss(holding: cache.size)) / cache.size
    }
    for index in fair.indices.sorted(by: { prices[$0] < prices[$1] }) {
      let most = min(mix.caches[index].size, 1.5 * fair[index])
      let more = min(left, most - parts[index])
      parts[index] += more
      left -= more
    }
    return parts
  }

  /// Small steps, each from where it costs least: the best there is where curves are convex.
  private static func leastLoss(_ target: Double, _ mix: CacheMix) -> [Double] {
    let caches = mix.caches
    let step = (mix.total / 4_000).rounded(.down)
    var parts = caches.map { _ in 0.0 }
    func price(_ index: Int) -> Double {
      let held = caches[index].size - parts[index]
      guard held > 0 else { return .infinity }
      return caches[index].loss(holding: held - step) - caches[index].loss(holding: held)
    }
    var prices = caches.indices.map(price)
    var left = target
    while left > 0 {
      guard let best = prices.indices.min(by: { prices[$0] < prices[$1] }),
        prices[best] < .infinity
      else { break }
      let bytes = min(step, left, caches[best].size - parts[best])
      parts[best] += bytes
      left -= bytes
      prices[best] = price(best)
    }
    return parts
  }
}
