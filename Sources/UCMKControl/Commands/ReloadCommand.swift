// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// `ucmkctl reload`.
package struct ReloadCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "Let the daemon read its configuration again.",
    discussion: """
      A bad file changes nothing: each fault is printed as FILE:LINE:COLUMN: TEXT, and the exit \
      code is 1.
      """
  )

  @Flag(name: .customLong("check-only"), help: "Say what would change; change nothing.")
  package var checksOnly = false

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let connection = try options.connect(context)
    let params = JSONValue.object(skippingNull: [("check_only", checksOnly ? true : nil)])
    let result = try connection.call("daemon.reload", params)
    let faults = result["errors"].items
    if faults.isEmpty || options.json {
      context.show(result, options) { _ in changes(result["changed"].items) }
    }
    for fault in faults { context.errors.write(ReloadCommand.text(of: fault) + "\n") }
    return faults.isEmpty ? .done : .refused
  }

  private func changes(_ keys: [JSONValue]) -> [String] {
    let names = keys.compactMap { $0.string.map(printable) }
    guard !names.isEmpty else { return ["nothing changed"] }
    return [(checksOnly ? "would change: " : "changed: ") + names.joined(separator: ", ")]
  }

  /// The form that editors and compilers share.
  private static func text(of fault: JSONValue) -> String {
    var place = fault["file"].string.map(printable) ?? "ucmkd.conf"
    for key in ["line", "column"] {
      if let number = fault[key].integer { place += ":\(number)" }
    }
    return place + ": " + (fault["text"].string.map(printable) ?? "not understood")
  }
}
