// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// `ucmkctl clients`.
package struct ClientsCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "clients",
    abstract: "List the clients, or show all that is known of one.",
    discussion: "Everybody sees the clients of their own user; an observer sees all."
  )

  @Argument(help: "A session, such as c17: everything about it, with its last rounds.")
  package var id: String?

  @Option(help: "Only clients of this name.")
  package var name: String?

  @Option(help: "Only clients of this user id.")
  package var uid: Int64?

  @Option(help: "Only clients in this cgroup.")
  package var cgroup: CgroupArgument?

  @OptionGroup package var options: ToolOptions

  package init() {}

  package func validate() throws {
    if id != nil, name != nil || uid != nil || cgroup != nil {
      throw ValidationError("--name, --uid and --cgroup do not go with a session.")
    }
  }

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let connection = try options.connect(context)
    if let id {
      let client = try connection.call("client.get", ["session": .string(id)])
      context.show(client, options) { ClientView.detail(client, $0) }
    } else {
      let result = try connection.callWhole("client.list", query)
      context.show(result, options) { ClientView.list(result["clients"].items, $0) }
    }
    return .done
  }

  private var query: JSONValue {
    let filter = JSONValue.object(skippingNull: [
      ("uid", uid.map { .integer($0) }),
      ("cgroup", cgroup.map { .string($0.path) }),
      ("name", name.map { .string($0) }),
    ])
    return .object(skippingNull: [
      ("limit", 500), ("filter", filter.members.isEmpty ? nil : filter),
    ])
  }
}
