// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing
import UCMKControl

@Suite("ucmkctl config check")
struct ConfigCommandTests {
  /// A folder with a `ucmkd` that is this shell script.
  private final class Program {
    let folder: String

    init(_ script: String) throws {
      folder = try FakeDaemon.makeFolder()
      let path = folder + "/ucmkd"
      try "#!/bin/sh\n\(script)\n".write(toFile: path, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
    }

    deinit {
      do { try FileManager.default.removeItem(atPath: folder) } catch { Issue.record(error) }
    }
  }

  @Test("the daemon beside this tool reads the file, and its words are passed on")
  func good() throws {
    let program = try Program(#"echo "asked: $*"; echo note >&2"#)
    let run = Run("config check /etc/my.conf", folder: program.folder)
    #expect(run.status == 0)
    #expect(run.output == "asked: --check --config /etc/my.conf\n")
    #expect(run.errors == "note\n")
  }

  @Test("without a file the daemon takes its own")
  func ownFile() throws {
    let program = try Program(#"echo "asked: $*""#)
    #expect(Run("config check", folder: program.folder).output == "asked: --check\n")
  }

  @Test("a bad file is 78")
  func bad() throws {
    let program = try Program("echo 'my.conf:3:5: unknown key' >&2; exit 78")
    let run = Run("config check my.conf", folder: program.folder)
    #expect(run.status == 78)
    #expect(run.output == "")
    #expect(run.errors == "my.conf:3:5: unknown key\n")
  }

  @Test("with --json the same in a document")
  func json() throws {
    let program = try Program("echo one; echo two; echo 'my.conf:3:5: bad' >&2; exit 78")
    let run = Run("config check my.conf --json", folder: program.folder)
    #expect(run.status == 78)
    #expect(
      run.output == """
        {
          "file": "my.conf",
          "usable": false,
          "output": [
            "one",
            "two"
          ],
          "errors": [
            "my.conf:3:5: bad"
          ]
        }

        """
    )
    #expect(run.errors == "")
    let good = try Program("exit 0")
    #expect(
      try JSONValue(parsing: Run("config check --json", folder: good.folder).output).line
        == #"{"file":null,"usable":true,"output":[],"errors":[]}"#
    )
  }

  @Test("in PATH it is found too, but after the folder of this tool")
  func path() throws {
    let (beside, listed) = (try Program("echo beside"), try Program("echo listed"))
    let environment = ["PATH": "/nowhere:\(listed.folder)"]
    #expect(Run("config check", environment: environment).output == "listed\n")
    #expect(
      Run("config check", environment: environment, folder: "/nowhere").output == "listed\n"
    )
    #expect(
      Run("config check", environment: environment, folder: beside.folder).output == "beside\n"
    )
  }

  @Test("without ucmkd it is 69")
  func missing() {
    let run = Run("config check", environment: ["PATH": "/nowhere"])
    #expect(run.status == 69)
    #expect(
      run.errors
        == "ucmkctl: ucmkd is neither beside ucmkctl nor in PATH: it reads the configuration\n"
    )
  }

  @Test("a ucmkd that fails otherwise is 69, with its words")
  func fails() throws {
    let program = try Program("echo 'unknown option' >&2; exit 64")
    let run = Run("config check", folder: program.folder)
    #expect(run.status == 69)
    #expect(
      run.errors
        == "ucmkctl: \(program.folder)/ucmkd --check ended with 64\nunknown option\n\n"
    )
  }

  @Test("a ucmkd that is killed is 69")
  func killed() throws {
    let program = try Program("kill -KILL $$")
    let run = Run("config check", folder: program.folder)
    #expect(run.status == 69)
    #expect(
      run.errors == "ucmkctl: \(program.folder)/ucmkd --check was ended by signal 9\n"
    )
  }

  @Test("much on both outputs does not stop it")
  func much() throws {
    let program = try Program(
      "i=0; while [ $i -lt 3000 ]; do echo 'a line of output, or of errors as well'; "
        + "echo 'a line of output, or of errors as well' >&2; i=$((i+1)); done"
    )
    let run = Run("config check", folder: program.folder)
    #expect(run.status == 0)
    #expect(run.output.utf8.count == 117_000)
    #expect(run.errors.utf8.count == 117_000)
  }
}
