// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The version of the protocol: one integer (`docs/PROTOCOL.md` §8).
public enum ProtocolVersion {
  /// The versions that this code speaks.
  public static let supported: ClosedRange<UInt32> = 1...1

  /// The highest version that both sides know.
  ///
  /// - Throws: `RPCError.versionNotSupported` with what we speak, where there is none.
  public static func negotiate(_ offered: ClosedRange<UInt32>) throws(RPCError) -> UInt32 {
    let highest = min(offered.upperBound, supported.upperBound)
    guard highest >= offered.lowerBound, highest >= supported.lowerBound else {
      throw .versionNotSupported(minimum: supported.lowerBound, maximum: supported.upperBound)
    }
    return highest
  }
}
