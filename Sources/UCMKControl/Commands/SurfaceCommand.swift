// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import ArgumentParser

/// `ucmkctl surface`.
package struct SurfaceCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "surface",
    abstract: "Grant the daemon's unit more, a surface at a time.",
    discussion: """
      The unit grants as little as the daemon can work with. What needs more is a drop-in in \
      /usr/lib/ucmkd/surfaces; enabled, it is linked into /etc/systemd/system/ucmkd.service.d. \
      It counts from the service's next start on. These commands talk to no daemon.
      """,
    subcommands: [
      SurfaceListCommand.self, SurfaceEnableCommand.self, SurfaceDisableCommand.self,
    ]
  )

  package init() {}
}

/// Which surfaces a command is about, and where.
package struct SurfaceOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Work on the system in this folder.", valueName: "folder"),
    completion: .directory
  )
  package var root = ""

  package init() {}

  /// The folder that these options mean.
  func folder(_ context: ControlContext) throws(ControlError) -> SurfaceFolder {
    try SurfaceFolder(root: root, programFolder: context.programFolder)
  }
}

/// `ucmkctl surface list`.
package struct SurfaceListCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show every surface, what it is for, and what it grants."
  )

  @OptionGroup package var place: SurfaceOptions
  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let surfaces = try place.folder(context).surfaces
    let result: JSONValue = [
      "surfaces": .array(
        surfaces.map { surface in
          [
            "name": .string(surface.name), "enabled": .bool(surface.isEnabled),
            "meaning": .string(surface.meaning),
            "grants": .array(surface.grants.map { .string($0) }),
          ]
        }
      )
    ]
    context.show(result, options) { page in
      surfaces.flatMap { surface in
        [
          "\(surface.isEnabled ? "on " : "off")  \(surface.name): \(surface.meaning)",
          "     \(surface.grants.joined(separator: " "))",
        ]
      }
    }
    return .done
  }
}

/// `ucmkctl surface enable`.
package struct SurfaceEnableCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "enable",
    abstract: "Put surfaces into force for the service's next start."
  )

  @Argument(help: "Names of `surface list`.")
  package var names: [String]

  @OptionGroup package var place: SurfaceOptions
  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let folder = try place.folder(context)
    var change = SurfaceChange(isRoot: place.root.isEmpty)
    for surface in try folder.surfaces.named(names) {
      let path = place.root + folder.link(surface.name)
      if try folder.enable(surface) {
        change.add(surface.name, "enabled", path, grants: surface.grants)
      } else {
        change.note("\(surface.name) is enabled already: \(path)")
      }
    }
    change.show(in: context, options)
    return .done
  }
}

/// `ucmkctl surface disable`.
package struct SurfaceDisableCommand: ControlCommand {
  package static let configuration = CommandConfiguration(
    commandName: "disable",
    abstract: "Take surfaces out of force for the service's next start."
  )

  @Argument(help: "Names of `surface list`.")
  package var names: [String]

  @OptionGroup package var place: SurfaceOptions
  @OptionGroup package var options: ToolOptions

  package init() {}

  package func execute(in context: ControlContext) throws(ControlError) -> ExitStatus {
    let folder = try place.folder(context)
    var change = SurfaceChange(isRoot: place.root.isEmpty)
    for surface in try folder.surfaces.named(names) {
      if try folder.disable(surface) {
        change.add(surface.name, "disabled", place.root + folder.link(surface.name), grants: [])
      } else {
        change.note("\(surface.name) is not enabled")
      }
    }
    change.show(in: context, options)
    return .done
  }
}

/// What a command did to the links, for people and programs.
private struct SurfaceChange {
  private static let command = "systemctl daemon-reload && systemctl restart ucmkd"

  private var lines: [String] = []
  private var changed: [JSONValue] = []
  /// Whether it is about the system that runs, whose service manager is to be told.
  private let isRoot: Bool

  init(isRoot: Bool) { self.isRoot = isRoot }

  mutating func add(_ name: String, _ verb: String, _ path: String, grants: [String]) {
    lines.append("\(verb) \(name): \(path)")
    if !grants.isEmpty { lines.append("  grants \(grants.joined(separator: " "))") }
    changed.append(["surface": .string(name), "state": .string(verb), "path": .string(path)])
  }

  mutating func note(_ line: String) { lines.append(line) }

  func show(in context: ControlContext, _ options: ToolOptions) {
    let next = changed.isEmpty || !isRoot ? nil : SurfaceChange.command
    let result: JSONValue = [
      "changed": .array(changed), "next": next.map { .string($0) } ?? .null,
    ]
    context.show(result, options) { _ in lines + (next.map { ["in force after: \($0)"] } ?? []) }
  }
}

extension [SurfaceFolder.Surface] {
  /// Those with these names, in the order of the names.
  fileprivate func named(_ names: [String]) throws(ControlError) -> [SurfaceFolder.Surface] {
    var chosen: [SurfaceFolder.Surface] = []
    for name in names {
      guard let surface = first(where: { $0.name == name }) else {
        let known = map(\.name).joined(separator: ", ")
        throw .usage("there is no surface '\(printable(name))'; there are \(known)")
      }
      chosen.append(surface)
    }
    return chosen
  }
}
