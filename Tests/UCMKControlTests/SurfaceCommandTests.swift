// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKControl

@Suite("ucmkctl surface")
struct SurfaceCommandTests {
  /// A system in a folder, with two surfaces.
  private final class System {
    let folder: String
    let links: String

    init() throws {
      folder = try FakeDaemon.makeFolder()
      links = folder + "/etc/systemd/system/ucmkd.service.d"
      let surfaces = folder + "/usr/lib/ucmkd/surfaces"
      try FileManager.default.createDirectory(
        atPath: surfaces,
        withIntermediateDirectories: true
      )
      let (licence, rest) = ("# SPDX-License-Identifier: X\n#\n", "#\n# Why.\n[Service]\n")
      let texts = [
        "a": "\(licence)# Does this\n\(rest)A=1\nB=x y\n",
        "b": "\(licence)# Does that\n\(rest)C=2\n",
      ]
      for (name, text) in texts {
        try text.write(toFile: "\(surfaces)/\(name).conf", atomically: true, encoding: .utf8)
      }
      try "".write(toFile: "\(surfaces)/README", atomically: true, encoding: .utf8)
    }

    deinit {
      do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }

    func run(_ arguments: String) -> Run { Run("surface \(arguments) --root \(folder)") }

    func target(_ name: String) throws -> String {
      try FileManager.default.destinationOfSymbolicLink(atPath: "\(links)/surface-\(name).conf")
    }
  }

  @Test("the list says what each is for, what it grants, and whether it is in force")
  func list() throws {
    let system = try System()
    #expect(system.run("enable b").status == 0)
    let run = system.run("list")
    #expect(run.status == 0)
    #expect(run.output == "off  a: Does this\n     A=1 B=x y\non   b: Does that\n     C=2\n")
    let document = try JSONValue(parsing: system.run("list --json").output)
    #expect(
      document["surfaces"].items[1].line
        == #"{"name":"b","enabled":true,"meaning":"Does that","grants":["C=2"]}"#
    )
  }

  @Test("enabled, it is a link to what the package ships, which does not go through the root")
  func enable() throws {
    let system = try System()
    let run = system.run("enable a b")
    #expect(run.status == 0)
    #expect(
      run.output == """
        enabled a: \(system.links)/surface-a.conf
          grants A=1 B=x y
        enabled b: \(system.links)/surface-b.conf
          grants C=2

        """
    )
    #expect(try system.target("a") == "/usr/lib/ucmkd/surfaces/a.conf")
    #expect(try system.target("b") == "/usr/lib/ucmkd/surfaces/b.conf")
    let again = system.run("enable a --json")
    #expect(again.status == 0)
    #expect(try JSONValue(parsing: again.output).line == #"{"changed":[],"next":null}"#)
  }

  @Test("disabled, the link is gone; twice is no mistake")
  func disable() throws {
    let system = try System()
    _ = system.run("enable a")
    let run = system.run("disable a")
    #expect(run.status == 0)
    #expect(run.output == "disabled a: \(system.links)/surface-a.conf\n")
    #expect(try FileManager.default.contentsOfDirectory(atPath: system.links) == [])
    #expect(system.run("disable a").output == "a is not enabled\n")
  }

  @Test("a name that is not there changes nothing and is 64")
  func unknown() throws {
    let system = try System()
    let run = system.run("enable a ../b")
    #expect(run.status == 64)
    #expect(run.errors == "ucmkctl: there is no surface '../b'; there are a, b\n")
    #expect(!FileManager.default.fileExists(atPath: system.links))
  }

  @Test("a file that an administrator wrote stays")
  func ownFile() throws {
    let system = try System()
    _ = system.run("enable a")
    let path = system.links + "/surface-b.conf"
    try "[Service]\n".write(toFile: path, atomically: true, encoding: .utf8)
    #expect(system.run("enable b").output == "b is enabled already: \(path)\n")
    let run = system.run("disable b")
    #expect(run.status == 1)
    #expect(run.errors == "ucmkctl: \(path) is a file of somebody's own: remove it by hand\n")
  }

  @Test("where nothing is installed it says so, 69")
  func absent() throws {
    let folder = try FakeDaemon.makeFolder()
    defer {
      do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }
    let run = Run("surface list --root \(folder)")
    #expect(run.status == 69)
    #expect(
      run.errors == "ucmkctl: no folder \(folder)/usr/lib/ucmkd/surfaces: is ucmkd installed?\n"
    )
  }

  @Test("what cannot be written is told and is 1")
  func unwritable() throws {
    let system = try System()
    try "".write(toFile: system.folder + "/etc", atomically: true, encoding: .utf8)
    let run = system.run("enable a")
    #expect(run.status == 1)
    #expect(run.errors.hasPrefix("ucmkctl: \(system.folder)/etc/systemd: Not a directory"))
  }

  @Test("an installation elsewhere is found beside this program")
  func prefix() throws {
    let system = try System()
    let prefix = system.folder + "/opt/lib/ucmkd"
    try FileManager.default.createDirectory(atPath: prefix, withIntermediateDirectories: true)
    try FileManager.default.moveItem(
      atPath: system.folder + "/usr/lib/ucmkd/surfaces",
      toPath: prefix + "/surfaces"
    )
    let run = Run("surface enable a --root \(system.folder)", folder: "/opt/bin")
    #expect(run.status == 0)
    #expect(try system.target("a") == "/opt/lib/ucmkd/surfaces/a.conf")
  }
}
