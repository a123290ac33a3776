// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// Asks for one round with everything that led to its quotas.
public struct RoundGet: MessageParams, Hashable {
  /// `round.get`.
  public static let method = Method.roundGet

  /// Which.
  public var round: RoundID

  /// Makes the params.
  public init(round: RoundID) { self.round = round }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` where the round is no number.
  public init(params: JSONValue?) throws(RPCError) {
    round = try ParamReader(params).requireRound()
  }

  /// Writes the params.
  public func write(to writer: inout JSONWriter) {
    writer.object { $0.member("round", round.number) }
  }
}
