// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What one side of a session can do beyond the rest.
public struct Capabilities: OptionSet, Sendable, Hashable {
  /// One bit for each.
  public let rawValue: UInt8

  /// Makes the set of these bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Answers `shrink`.
  public static let shrink = Capabilities(rawValue: 1)
  /// Keeps to a limit that it is told.
  public static let limit = Capabilities(rawValue: 2)
  /// Names ranges that the daemon may page out.
  public static let purgeable = Capabilities(rawValue: 4)
  /// Reports through shared memory.
  public static let shm = Capabilities(rawValue: 8)

  /// Reads what a client declares; without a word it can shrink and nothing else.
  ///
  /// - Throws: `RPCError.invalidParams` where a value is neither true nor false.
  init(_ reader: ParamReader?) throws(RPCError) {
    self = .shrink
    guard let reader else { return }
    set(.shrink, try reader.bool("shrink"))
    set(.limit, try reader.bool("limit"))
    set(.purgeable, try reader.bool("purgeable"))
    set(.shm, try reader.bool("shm"))
  }

  private mutating func set(_ capability: Capabilities, _ value: Bool?) {
    guard let value else { return }
    if value { insert(capability) } else { remove(capability) }
  }

  func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("shrink", contains(.shrink))
      writer.member("limit", contains(.limit))
      writer.member("purgeable", contains(.purgeable))
      writer.member("shm", contains(.shm))
    }
  }
}
