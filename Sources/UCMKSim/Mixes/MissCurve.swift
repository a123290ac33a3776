// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How many requests of a stream an LRU cache of a given size misses.
///
/// Requests are independent and follow Zipf's law; the hit ratio is Che's approximation (Che, Tung,
/// Wang, 2002): an object is in the cache if it was asked for within a characteristic time t, so
/// that Σ(1 - e^(-p·t)) objects are and Σp·(1 - e^(-p·t)) of the requests hit.
struct MissCurve: Sendable {
  /// Objects in the cache and hit ratio at each characteristic time of `times`.
  let occupancy: [Double], hits: [Double]

  /// Characteristic times in requests: 10^-1…10^9.
  static let times: [Double] = (0..<points).map { index in
    pow(10, -1 + 10 * Double(index) / Double(points - 1))
  }
  private static let points = 500
  /// Ranks up to here count one by one, those above in groups of 1 % of their rank.
  private static let single = 400

  /// The curve of a stream over `objects` objects whose popularity falls with rank^-exponent.
  init(objects: Int, exponent: Double) {
    var groups: [(count: Double, popularity: Double)] = []
    var rank = 1
    var sum = 0.0
    while rank <= objects {
      let width = rank <= MissCurve.single ? 1 : max(1, rank / 100)
      let end = min(objects, rank + width - 1)
      let count = Double(end - rank + 1)
      // The middle of the group stands for all of it.
      let popularity = pow((Double(rank) + Double(end)) / 2, -exponent)
      groups.append((count, popularity))
      sum += count * popularity
      rank = end + 1
    }
    var occupancy: [Double] = []
    var hits: [Double] = []
    for time in MissCurve.times {
      var inside = 0.0
      var hit = 0.0
      for group in groups {
        let part = -expm1(-group.popularity / sum * time)
        inside += group.count * part
        hit += group.count * group.popularity / sum * part
      }
      occupancy.append(inside)
      hits.append(hit)
    }
    self.occupancy = occupancy
    self.hits = hits
  }

  /// The hit ratio with room for so many objects.
  func hitRatio(objects: Double) -> Double {
    interpolate(objects, from: occupancy, to: hits)
  }

  /// How many objects were asked for within so many requests.
  func objects(within requests: Double) -> Double {
    interpolate(requests, from: MissCurve.times, to: occupancy)
  }
}

/// The value at `x` of the broken line through the points; constant beyond its ends.
func interpolate(_ x: Double, from xs: [Double], to ys: [Double]) -> Double {
  guard let first = xs.first, let last = xs.last, x > first else { return ys.first ?? 0 }
  guard x < last else { return ys[ys.count - 1] }
  var low = 0
  var high = xs.count - 1
  while high - low > 1 {
    let middle = (low + high) / 2
    if xs[middle] <= x { low = middle } else { high = middle }
  }
  let width = xs[high] - xs[low]
  guard width > 0 else { return ys[high] }
  return ys[low] + (x - xs[low]) / width * (ys[high] - ys[low])
}
