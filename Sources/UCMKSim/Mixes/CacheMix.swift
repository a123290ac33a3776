// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// One cache of a mix.
struct ZipfCache: Sendable {
  /// Bytes of an object.
  let objectBytes: Double
  /// Requests per second, and seconds to make good a miss.
  let rate: Double, cost: Double
  /// Bytes held at the start.
  let size: Double
  let curve: MissCurve
  /// Miss ratio with 0, 1/256, …, all of `size`.
  private let misses: [Double]

  private static let grid = 256

  init(objectBytes: Double, rate: Double, cost: Double, size: Double, curve: MissCurve) {
    self.objectBytes = objectBytes
    self.rate = rate
    self.cost = cost
    self.size = size
    self.curve = curve
    misses = (0...ZipfCache.grid).map { place in
      let bytes = size * Double(place) / Double(ZipfCache.grid)
      return 1 - curve.hitRatio(objects: bytes / objectBytes)
    }
  }

  /// Seconds of work a second that misses cost while it holds so many bytes.
  func loss(holding bytes: Double) -> Double {
    let place = min(1, max(0, bytes / size)) * Double(ZipfCache.grid)
    let low = min(Int(place), ZipfCache.grid - 1)
    let miss = misses[low] + (place - Double(low)) * (misses[low + 1] - misses[low])
    return rate * cost * miss
  }

  /// What a client can know of the worth of its bytes: cost of all its requests over its size.
  var density: Double { rate * cost / size }

  /// Bytes that the last `seconds` touched.
  func touched(within seconds: Double) -> Double {
    min(size, curve.objects(within: rate * seconds) * objectBytes)
  }
}

/// Some caches that compete for memory.
struct CacheMix: Sendable {
  let caches: [ZipfCache]

  /// All bytes at the start.
  var total: Double { caches.reduce(0) { $0 + $1.size } }

  /// The curves of every kind of stream that a mix can hold; 12 of them.
  struct Library: Sendable {
    static let objects = [20_000, 50_000, 100_000]
    static let exponents = [0.6, 0.8, 0.99, 1.2]
    private let curves: [MissCurve]

    init() {
      curves = Library.objects.flatMap { objects in
        Library.exponents.map { MissCurve(objects: objects, exponent: $0) }
      }
    }

    func curve(objects: Int, exponent: Int) -> MissCurve {
      curves[objects * Library.exponents.count + exponent]
    }
  }

  init(caches: [ZipfCache]) { self.caches = caches }

  /// The mix of this number.
  init(number: UInt64, of count: Int = 12, library: Library) {
    var chance = Chance(seed: number, stream: 3)
    caches = (0..<count).map { _ in
      let objects = chance.choice(of: [0, 1, 2])
      let curve = library.curve(objects: objects, exponent: chance.choice(of: [0, 1, 2, 3]))
      let bytes = chance.choice(of: [1.0, 4, 16]) * 1_024
      let rate = chance.choice(of: [100.0, 1_000, 5_000])
      let cost = chance.choice(of: [0.001, 0.005, 0.020])
      let part = chance.between(0.2, 0.9)
      return ZipfCache(
        objectBytes: bytes,
        rate: rate,
        cost: cost,
        size: (Double(Library.objects[objects]) * bytes * part).rounded(),
        curve: curve
      )
    }
  }

  /// Seconds of work a second that misses cost more after everybody gave its part.
  func addedLoss(giving parts: [Double]) -> Double {
    zip(caches, parts).reduce(0) { sum, pair in
      sum + pair.0.loss(holding: pair.0.size - pair.1) - pair.0.loss(holding: pair.0.size)
    }
  }
}
