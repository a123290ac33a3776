// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKProtocol

/// The names of the wire that a page about it has to have.
enum ProtocolNames {
  /// One finding for each method and error code that the page lacks.
  static func missing(in page: TextFile) -> [Finding] {
    let methods = MessageCatalog.entries.map { "\($0.method.name)" }
    let codes = ErrorCode.allCases.map { "\($0.rawValue)" }
    return DocumentRules.missing(methods, in: page, "method")
      + DocumentRules.missing(codes, in: page, "error code")
  }
}
