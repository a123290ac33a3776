// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// What the params of a method are: read from a message and written into one.
///
/// The daemon and the client library share these types, each using one direction.
public protocol MessageParams: Sendable {
  /// The method whose params these are.
  static var method: Method { get }

  /// Reads them.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  init(params: JSONValue?) throws(RPCError)

  /// Writes them as an object.
  func write(to writer: inout JSONWriter)
}

/// What a method answers with.
public protocol MessageResult: Sendable {
  /// Reads it.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong; the reader is
  ///   the one who asked, so that the error is for its log and answers nobody.
  init(result: JSONValue) throws(RPCError)

  /// Writes it as an object.
  func write(to writer: inout JSONWriter)
}

extension MessageParams {
  /// Writes a whole request, line end included.
  public func writeRequest(id: RequestID, to writer: inout JSONWriter) {
    writer.beginRequest(Self.method, id: id)
    write(to: &writer)
    writer.endMessage()
  }

  /// Writes a whole notification, line end included.
  public func writeNotification(to writer: inout JSONWriter) {
    writer.beginNotification(Self.method)
    write(to: &writer)
    writer.endMessage()
  }
}

extension MessageResult {
  /// Writes a whole answer, line end included.
  public func writeResponse(id: RequestID, to writer: inout JSONWriter) {
    writer.beginResponse(id: id)
    write(to: &writer)
    writer.endMessage()
  }
}

/// The frame around params and results, for those who write what is in it by themselves.
extension JSONWriter {
  /// Begins a request; its params are the next value.
  public mutating func beginRequest(_ method: Method, id: RequestID) {
    beginEnvelope()
    key("id")
    id.write(to: &self)
    member("method", method.name)
    key("params")
  }

  /// Begins a notification; its params are the next value.
  public mutating func beginNotification(_ method: Method) {
    beginEnvelope()
    member("method", method.name)
    key("params")
  }

  /// Begins the answer to a request; its result is the next value.
  public mutating func beginResponse(id: RequestID) {
    beginEnvelope()
    key("id")
    id.write(to: &self)
    key("result")
  }

  /// Ends what one of the three began, and the line.
  public mutating func endMessage() {
    endObject()
    endLine()
  }

  private mutating func beginEnvelope() {
    beginObject()
    member("jsonrpc", "2.0")
  }
}
