// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

extension JSONValue {
  /// This value on one line, without spaces: a message, or one object of a stream.
  package var line: String {
    var text = ""
    write(to: &text)
    return text
  }

  /// This value over several lines, two spaces a level: what `--json` prints of a single answer.
  package var document: String {
    var text = ""
    write(to: &text, indentation: "\n")
    return text
  }

  /// Appends this value; `indentation` begins a line at its level, or is nil for all on one line.
  private func write(to text: inout String, indentation: String? = nil) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += String(value)
    case .number(let lexeme): text += lexeme
    case .string(let value): JSONValue.quote(value, to: &text)
    case .array(let items):
      JSONValue.list(items, between: "[]", to: &text, indentation) { item, text, inner in
        item.write(to: &text, indentation: inner)
      }
    case .object(let members):
      JSONValue.list(members, between: "{}", to: &text, indentation) { member, text, inner in
        JSONValue.quote(member.key, to: &text)
        text += inner == nil ? ":" : ": "
        member.value.write(to: &text, indentation: inner)
      }
    }
  }

  private static func list<Element>(
    _ elements: [Element],
    between brackets: String,
    to text: inout String,
    _ indentation: String?,
    each: (Element, inout String, String?) -> Void
  ) {
    text += brackets.prefix(1)
    let inner = indentation.map { $0 + "  " }
    for (index, element) in elements.enumerated() {
      if index > 0 { text += "," }
      text += inner ?? ""
      each(element, &text, inner)
    }
    if !elements.isEmpty { text += indentation ?? "" }
    text += brackets.suffix(1)
  }

  private static func quote(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      // Besides what JSON demands, DEL and the C1 controls: a client's name must not reach a
      // terminal as an escape sequence.
      case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
