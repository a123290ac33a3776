// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The names of users, for rules that name one.
enum UserNames {
  /// The name of the user; nil where the system knows none.
  static func name(of user: UInt32) -> String? {
    var entry = unsafe passwd()
    var found: UnsafeMutablePointer<passwd>?
    // 16 KiB: more than any entry takes that the C library can hand out by default.
    var text = [CChar](repeating: 0, count: 16 << 10)
    let result = unsafe getpwuid_r(user, &entry, &text, text.count, &found)
    guard result == 0, unsafe found != nil, let name = unsafe entry.pw_name else { return nil }
    return unsafe String(cString: name)
  }
}
