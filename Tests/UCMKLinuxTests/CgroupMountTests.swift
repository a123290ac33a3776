// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import UCMKModel
import UCMKTestSupport

@testable import UCMKLinux

@Suite("v2 hierarchy")
struct CgroupMountTests {
  static let hybrid = """
    23 1 259:0 / / rw,relatime - ext4 /dev/vda rw
    31 23 0:28 / /sys/fs/cgroup rw,relatime shared:9 - tmpfs tmpfs rw,mode=755
    35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
    41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:10 master:2 - cgroup2 cgroup2 rw

    """

  private func parse(_ text: String) -> String? {
    let bytes = Array(text.utf8)
    return CgroupMount.parse(bytes.span)
  }

  @Test("is found beside the v1 hierarchies of a hybrid host")
  func hybridHost() {
    #expect(parse(CgroupMountTests.hybrid) == "/sys/fs/cgroup/unified")
  }

  @Test("is found on a host that has it alone, and not on one that has none")
  func others() {
    #expect(
      parse("30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n")
        == "/sys/fs/cgroup"
    )
    #expect(parse("35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n") == nil)
    #expect(parse("") == nil)
    #expect(parse("garbage\n- - - cgroup2\n") == nil)
    #expect(parse("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw") == nil, "cut")
  }

  @Test("the mount that shows the whole hierarchy wins over a part of it")
  func parts() {
    let part = "50 23 0:26 /a /srv/part rw - cgroup2 cgroup2 rw\n"
    let whole = "51 23 0:26 / /mnt/all rw - cgroup2 cgroup2 rw\n"
    #expect(parse(part + whole) == "/mnt/all")
    #expect(parse(part) == "/srv/part")
  }

  @Test("a mount point with blanks is unescaped")
  func escapes() {
    #expect(
      parse("30 23 0:26 / /mnt/a\\040b\\134c\\011 rw - cgroup2 cgroup2 rw\n") == "/mnt/a b\\c\t"
    )
  }

  @Test("says whether memory is accounted there")
  func controllers() throws {
    let tree: FileTree = [
      "proc/self/mountinfo": "",
      "cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids\n",
      "v2/cgroup.controllers": "hugetlb memoryless\n",
    ]
    #expect(try CgroupMount.at(tree.cgroup).hasMemoryController)
    #expect(try !CgroupMount.at(tree.path("v2")).hasMemoryController)
    #expect(try !CgroupMount.at(tree.path("absent")).hasMemoryController)
    tree.write(
      "proc/self/mountinfo",
      "30 23 0:26 / \(tree.cgroup) rw - cgroup2 cgroup2 rw\n"
    )
    #expect(
      try CgroupMount.find(proc: tree.proc)
        == CgroupMount(path: tree.cgroup, hasMemoryController: true)
    )
    tree.remove("proc/self")
    #expect(try CgroupMount.find(proc: tree.proc) == nil)
  }

  @Test(
    "finds the cgroup of a process in its v2 line",
    arguments: [
      ("0::/system.slice/foo.service\n", "/system.slice/foo.service"),
      ("9:name=systemd:/x\n4:memory:/y\n0::/z\n", "/z"),
      ("0::/\n", "/"),
      ("0::/a b:c\n", "/a b:c"),
      ("4:memory:/y\n", nil),
      ("0::/../outside\n", nil),
      ("0::/gone (deleted)\n", nil),
      ("0::/cut", nil),
      ("", nil),
    ] as [(String, String?)]
  )
  func peers(text: String, expected: String?) throws {
    let tree: FileTree = ["proc/7/cgroup": text]
    #expect(try PeerCgroup.path(ofProcess: ProcessID(7), tree.kernel) == expected)
    #expect(try PeerCgroup.path(ofProcess: ProcessID(8), tree.kernel) == nil)
    let without = KernelFiles(proc: tree.proc, cgroup: nil)
    #expect(try PeerCgroup.path(ofProcess: ProcessID(7), without) == nil)
  }
}
