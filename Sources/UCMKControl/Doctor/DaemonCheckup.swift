// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Whether the daemon can be reached, what it allows the caller, and what it lacks itself.
package struct DaemonCheckup {
  private let options: ToolOptions
  private let context: ControlContext

  /// Makes a check-up that connects as every command does.
  package init(options: ToolOptions, context: ControlContext) {
    self.options = options
    self.context = context
  }

  /// All findings.
  package var findings: [Finding] {
    do throws(ControlError) {
      let connection = try options.connect(context)
      let status = try connection.call("daemon.status")
      let version = status["version"].string ?? "of no version"
      let state = status["state"].string ?? "-"
      let daemon = Finding.ok("daemon", "\(version) at \(connection.path), \(state)")
      return [daemon, roles(connection.greeting["you"])] + triggers(status) + surfaces(status)
    } catch {
      return [
        .fail(
          "daemon",
          error.message.split(separator: "\n").first.map { String($0) } ?? "",
          mend: "systemctl enable --now ucmkd.socket ucmkd.service"
        )
      ]
    }
  }

  private func roles(_ you: JSONValue) -> Finding {
    let roles = you["roles"].items.compactMap(\.string)
    let list = roles.isEmpty ? "none" : roles.joined(separator: ", ")
    if roles.contains("admin") { return .ok("roles", list) }
    if roles.contains("observer") {
      return .ok("roles", list + " (shrink, reload, pause and override need admin: be root)")
    }
    return .warn(
      "roles",
      list + ": rounds and the clients of others are not shown",
      mend: "usermod -aG ucmk \(context.environment["USER"] ?? "USER"), then log in again"
    )
  }

  private func triggers(_ status: JSONValue) -> [Finding] {
    let triggers = status["triggers"].items
    let polled = triggers.filter { $0["source"].string == "average" }.count
    let slow = triggers.filter {
      $0["source"].string == "trigger" && $0["window_us"].integer ?? 0 >= 2_000_000
    }.count
    let grant = UnitDropIn.command("psi", "AmbientCapabilities=CAP_SYS_RESOURCE")
    let isHostPolled = triggers.contains {
      $0["source"].string == "average" && $0["scope"]["kind"].string != "cgroup"
    }
    if polled > 0, !isHostPolled {
      return [
        .warn(
          "triggers",
          "\(polled) of \(triggers.count), those of cgroups, read averages, which lag by seconds; "
            + "the watermarks do not wait for them",
          mend: "ucmkctl surface enable cgroup-triggers && systemctl daemon-reload"
            + " && systemctl restart ucmkd"
        )
      ]
    }
    if polled > 0 {
      return [
        .warn(
          "triggers",
          "\(polled) of \(triggers.count) read averages, which lag by seconds",
          mend: grant
        )
      ]
    }
    if slow > 0 {
      return [
        .warn(
          "triggers",
          "\(slow) of \(triggers.count) have windows of 2 s or more: 1 s needs CAP_SYS_RESOURCE",
          mend: grant
        )
      ]
    }
    return triggers.isEmpty ? [] : [.ok("triggers", "\(triggers.count), by the kernel")]
  }

  private func surfaces(_ status: JSONValue) -> [Finding] {
    status["surfaces"].members.compactMap { surface in
      guard let state = surface.value.string, state.hasPrefix("error") else { return nil }
      return .fail(
        printable("surface \(surface.key)"),
        state,
        mend: "journalctl -u ucmkd -n 50; systemctl restart ucmkd"
      )
    }
  }
}
