// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Where in the params a reader stands; becomes text only for an error.
struct ParamPath {
  /// The list in which the reader stands, and its place in it.
  private var list: StaticString?
  private var index = 0
  /// The member below.
  private var member: StaticString?

  /// The params themselves.
  static let root = ParamPath()

  /// One place of a list of the params.
  func element(_ index: Int, of list: StaticString) -> ParamPath {
    var path = self
    path.list = list
    path.index = index
    return path
  }

  /// A member below this place.
  func member(_ name: StaticString) -> ParamPath {
    var path = self
    path.member = name
    return path
  }

  /// The path as an error shows it, such as `caches[0].usage.bytes`.
  func text(_ key: StaticString?) -> String {
    var text = ""
    if let list { text = "\(list.text)[\(index)]" }
    if let member { text += (text.isEmpty ? "" : ".") + member.text }
    if let key { text += (text.isEmpty ? "" : ".") + key.text }
    return text.isEmpty ? "params" : text
  }

  /// The error that says what would be right under `key` here.
  func invalid(_ key: StaticString?, want: String) -> RPCError {
    .invalidParams(path: text(key), want: want)
  }
}
