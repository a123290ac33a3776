// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import CUCMKLinux

/// The kernel's unit of memory.
package enum Page {
  /// Bytes of one page, such as 4,096.
  package static let size = ucmk_page_size()
}
