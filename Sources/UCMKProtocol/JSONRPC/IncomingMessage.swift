// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Why a line is no message, and what to answer.
public struct RPCFault: Error, Sendable, Hashable {
  /// -32700 or -32600.
  public let error: RPCError
  /// The id to answer; nil is written as `null`.
  public let id: RequestID?

  /// Whether this is one of the malformed lines of which eight in a row close the connection: no
  /// request that it answers could be told.
  public var countsAsMalformed: Bool { id == nil }

  /// Makes a fault.
  public init(_ error: RPCError, id: RequestID?) {
    self.error = error
    self.id = id
  }

  /// Writes the answer, line end included.
  public func write(to writer: inout JSONWriter) { error.write(to: &writer, id: id) }
}

/// One line, told apart as JSON-RPC 2.0 does, with the rules of `docs/PROTOCOL.md` §1.
///
/// The values in it are views of the buffer from which it was read.
public enum IncomingMessage: Sendable {
  /// Wants an answer with this id. Params are an object or absent.
  case request(id: RequestID, method: JSONValue, params: JSONValue?)
  /// Wants no answer. Params are an object or absent.
  case notification(method: JSONValue, params: JSONValue?)
  /// Answers a request of ours. The id is nil only in an error whose sender could not tell which.
  case response(id: RequestID?, outcome: Outcome)
  /// A notification that is wrong in its form: it is never answered, not even with an error.
  case ignored

  /// What a request came to.
  public enum Outcome: Sendable {
    /// It was done.
    case result(JSONValue)
    /// It was not.
    case error(RPCErrorObject)
  }

  /// Reads the line `range` of `bytes`.
  ///
  /// - Throws: What is to be answered instead.
  public init(_ bytes: [UInt8], in range: Range<Int>) throws(RPCFault) {
    let value: JSONValue
    var index = MemberIndex()
    do throws(JSONSyntaxError) {
      value = try JSONText.parse(bytes, in: range, index: &index)
    } catch {
      throw RPCFault(.parseError(offset: error.offset), id: nil)
    }
    guard value.kind == .object else { throw RPCFault(.invalidRequest, id: nil) }
    self = try IncomingMessage(EnvelopeMembers(value, index))
  }

  private init(_ members: EnvelopeMembers) throws(RPCFault) {
    guard let idValue = members.id else {
      self = try IncomingMessage.withoutID(members)
      return
    }
    let id = RequestID(idValue)
    if members.looksLikeAnswer {
      self = try IncomingMessage.answer(members, id: id)
      return
    }
    guard let id else { throw RPCFault(.invalidRequest, id: nil) }
    guard members.isVersion2, let method = members.method, method.kind == .string,
      members.paramsAreObjectOrAbsent
    else { throw RPCFault(.invalidRequest, id: id) }
    self = .request(id: id, method: method, params: members.params)
  }

  private static func withoutID(_ members: EnvelopeMembers) throws(RPCFault) -> IncomingMessage {
    guard let method = members.method, method.kind == .string else {
      throw RPCFault(.invalidRequest, id: nil)
    }
    guard members.isVersion2, members.paramsAreObjectOrAbsent else { return .ignored }
    return .notification(method: method, params: members.params)
  }

  /// A malformed answer is told with the id null: its id is one of ours, and an error that carries
  /// it would be taken for an answer to a request of the sender.
  private static func answer(
    _ members: EnvelopeMembers,
    id: RequestID?
  ) throws(RPCFault) -> IncomingMessage {
    guard members.isVersion2 else { throw RPCFault(.invalidRequest, id: nil) }
    if let error = members.error {
      guard id != nil || members.id?.isNull == true else {
        throw RPCFault(.invalidRequest, id: nil)
      }
      return .response(id: id, outcome: .error(RPCErrorObject(error)))
    }
    guard let id, let result = members.result else { throw RPCFault(.invalidRequest, id: nil) }
    return .response(id: id, outcome: .result(result))
  }
}

/// The members that make an envelope, found in one walk.
private struct EnvelopeMembers {
  private let object: JSONValue
  private(set) var isVersion2 = false
  // Places and not values: a value that is made for each member costs more than the walk.
  private var places: (id: Range<Int>?, method: Range<Int>?, params: Range<Int>?)
  private var outcomes: (result: Range<Int>?, error: Range<Int>?)

  init(_ object: JSONValue, _ index: MemberIndex) {
    self.object = object
    guard index.isComplete else {
      var position = object.start + 1
      while let place = JSONValue.nextMember(object.bytes, at: &position, end: object.end - 1) {
        take(object.bytes, place.key, place.value)
      }
      return
    }
    index.forEach { key, value in take(object.bytes, key, value) }
  }

  private mutating func take(_ bytes: [UInt8], _ key: Range<Int>, _ value: Range<Int>) {
    if JSONValue.string(bytes, key, equals: "jsonrpc") {
      isVersion2 = JSONValue.string(bytes, value, equals: "2.0")
    } else if JSONValue.string(bytes, key, equals: "id") {
      places.id = value
    } else if JSONValue.string(bytes, key, equals: "method") {
      places.method = value
    } else if JSONValue.string(bytes, key, equals: "params") {
      places.params = EnvelopeMembers.isNull(bytes, value) ? nil : value
    } else if JSONValue.string(bytes, key, equals: "result") {
      outcomes.result = value
    } else if JSONValue.string(bytes, key, equals: "error") {
      outcomes.error = EnvelopeMembers.isNull(bytes, value) ? nil : value
    }
  }

  var id: JSONValue? { value(places.id) }
  var method: JSONValue? { value(places.method) }
  var params: JSONValue? { value(places.params) }
  var result: JSONValue? { value(outcomes.result) }
  var error: JSONValue? { value(outcomes.error) }

  /// Whether this is no request and carries what an answer does.
  var looksLikeAnswer: Bool {
    places.method == nil && (outcomes.result != nil || outcomes.error != nil)
  }

  var paramsAreObjectOrAbsent: Bool {
    guard let params = places.params else { return true }
    return object.bytes[params.lowerBound] == UInt8(ascii: "{")
  }

  private func value(_ place: Range<Int>?) -> JSONValue? {
    guard let place else { return nil }
    return JSONValue(bytes: object.bytes, start: place.lowerBound, end: place.upperBound)
  }

  private static func isNull(_ bytes: [UInt8], _ place: Range<Int>) -> Bool {
    bytes[place.lowerBound] == UInt8(ascii: "n")
  }
}
