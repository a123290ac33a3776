// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

@Suite("kernel files")
struct KernelFilesTests {
  private func text(_ files: KernelFiles, _ path: KernelPath) throws(SystemError) -> String? {
    try files.read(path) { bytes in TextScanner.string(bytes, 0..<bytes.count) }
  }

  @Test("puts each kind of path below its root")
  func paths() {
    let files = KernelFiles(proc: "/p", cgroup: "/c")
    #expect(files.text(of: .proc("meminfo")) == "/p/meminfo")
    #expect(files.text(of: .process(ProcessID(4_711), "status")) == "/p/4711/status")
    #expect(files.text(of: .process(ProcessID(0), "stat")) == "/p/0/stat")
    #expect(files.text(of: .cgroup("/", "cgroup.procs")) == "/c/cgroup.procs")
    #expect(files.text(of: .cgroup("/a/b", "memory.max")) == "/c/a/b/memory.max")
    #expect(KernelFiles(proc: "/p", cgroup: nil).text(of: .cgroup("/a", "memory.max")) == nil)
  }

  @Test(
    "a cgroup path that leads elsewhere is no path",
    arguments: ["", "a", "/a/", "//a", "/../etc", "/a/..", "/a/./b", "/.", "/a\u{0}b", "/a\nb"]
  )
  func badGroups(path: String) {
    #expect(!CgroupPath.isValid(path))
    #expect(KernelFiles(cgroup: "/c").text(of: .cgroup(path, "memory.max")) == nil)
  }

  @Test(
    "unusual names of cgroups are paths",
    arguments: ["/", "/a", "/...", "/..a", "/a b", "/system.slice/foo@bar.service", "/ü/.b"]
  )
  func goodGroups(path: String) {
    #expect(CgroupPath.isValid(path))
  }

  @Test("goes up one level at a time, and ends at the root")
  func parents() {
    #expect(CgroupPath.parent(of: "/a/b/c") == "/a/b")
    #expect(CgroupPath.parent(of: "/a") == "/")
    #expect(CgroupPath.parent(of: "/") == nil)
  }

  @Test("absent and empty are normal, and different")
  func absent() throws {
    let tree: FileTree = ["proc/empty": "", "proc/full": "x\n"]
    let files = tree.kernel
    #expect(try text(files, .proc("missing")) == nil)
    #expect(try text(files, .proc("full/below-a-file")) == nil)
    #expect(try text(files, .process(ProcessID(1), "status")) == nil)
    #expect(try text(files, .proc("empty"))?.isEmpty == true)
    #expect(try text(files, .proc("full")) == "x\n")
  }

  @Test("a file of any size is read whole, and a short one after a long one is not longer")
  func sizes() throws {
    let tree = FileTree()
    let files = tree.kernel
    for size in [1, KernelFiles.bufferSize - 1, KernelFiles.bufferSize, 100_000, 3] {
      let long = String(repeating: "x", count: size)
      tree.write("proc/sized", long)
      #expect(try text(files, .proc("sized")) == long)
    }
  }

  @Test("a file beyond every kernel file's size is refused")
  func tooLarge() throws {
    let tree = FileTree()
    tree.write("proc/huge", String(repeating: "x", count: KernelFiles.largestFile + 1))
    #expect(throws: SystemError(call: "read", path: tree.path("proc/huge"), errno: 27)) {
      try text(tree.kernel, .proc("huge"))
    }
  }

  @Test("a folder in the place of a file is an error that names it")
  func folder() throws {
    let tree = FileTree()
    tree.makeFolder("proc/meminfo")
    #expect(throws: SystemError(call: "read", path: tree.path("proc/meminfo"), errno: 21)) {
      try text(tree.kernel, .proc("meminfo"))
    }
  }

  @Test("a process that ends between open and read is gone, not broken")
  func vanished() throws {
    #expect(KernelFiles.isAbsence(3), "ESRCH, from reading a file of a process that ended")
    #expect(KernelFiles.isAbsence(19), "ENODEV, from reading a file of a removed cgroup")
    #expect(KernelFiles.isAbsence(95), "EOPNOTSUPP, from PSI that is switched off")
    #expect(!KernelFiles.isAbsence(13), "EACCES")
  }

  @Test("an error names call, path and number")
  func description() {
    let denied = SystemError(call: "open", path: "/proc/1/smaps_rollup", errno: 13)
    #expect("\(denied)" == "open /proc/1/smaps_rollup: EACCES (Permission denied)")
    #expect(denied.isPermission)
    #expect(!denied.isExhaustion)
    let full = SystemError(call: "accept4", errno: 24)
    #expect("\(full)" == "accept4: EMFILE (Too many open files)")
    #expect(full.isExhaustion)
    #expect("\(SystemError(call: "call", errno: 4_095))" == "call: errno 4095")
  }

  @Test("reads this process's own files")
  func own() throws {
    let files = KernelFiles(cgroup: nil)
    let state = try #require(try text(files, .proc("self/status")))
    #expect(state.hasPrefix("Name:\t"))
  }
}
