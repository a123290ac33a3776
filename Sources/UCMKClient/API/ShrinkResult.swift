// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// What a cache did on request.
public struct ShrinkResult: Sendable, Hashable {
  /// Bytes freed; may exceed what was asked.
  public var freed: ByteCount
  /// The usage afterwards; where nil, the cache is asked for it.
  public var remaining: CacheUsage?
  /// Whether more could be freed with more time.
  public var more: Bool

  /// Makes a result.
  public init(freed: ByteCount, remaining: CacheUsage? = nil, more: Bool = false) {
    self.freed = freed
    self.remaining = remaining
    self.more = more
  }

  /// Nothing was freed, and nothing more can be.
  public static let nothing = ShrinkResult(freed: .zero)
}

/// What a shrinker throws to say "not now".
///
/// Any other error counts as a refusal too, with ``standardRetry`` and no reason.
public struct ShrinkRefusal: Error, Sendable, Hashable {
  /// How long the daemon should leave this cache alone.
  public var retryAfter: TimeSpan
  /// Shown to people; cut to 64 bytes.
  public var reason: String?

  /// Makes a refusal.
  public init(retryAfter: TimeSpan = ShrinkRefusal.standardRetry, reason: String? = nil) {
    self.retryAfter = retryAfter
    self.reason = reason
  }

  /// 5 s: long enough that a round is over, short enough to be asked in the next one.
  public static let standardRetry = TimeSpan.seconds(5)
}
