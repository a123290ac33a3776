// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKCore

// The wire and the core both have these nouns; in the daemon the plain word is the core's.

/// What happens to the broker.
package typealias Event = UCMKCore.Event
/// A soft ceiling as the core has it.
package typealias CacheLimit = UCMKCore.CacheLimit
/// What an administrator sets as the core has it.
package typealias CacheOverride = UCMKCore.CacheOverride
