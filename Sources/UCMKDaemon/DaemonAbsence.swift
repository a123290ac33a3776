// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKLinux
import UCMKModel
import UCMKSystemd

/// Domains that the settings name before their cgroup is made, or after it was removed.
extension Daemon {
  /// Takes note that a domain cannot be read, or can again.
  func noteAbsence(of domain: DomainID, isAbsent: Bool) {
    let isNamed = settings.configuration.domains.contains { $0.domain == domain }
    do throws(SystemError) {
      if isAbsent, isNamed {
        try absent.insert(domain)
        armLook(ifThere: domain)
      } else {
        try absent.remove { $0 == domain }
      }
    } catch {
      complain(of: error)
    }
  }

  /// Forgets what new settings do not name.
  func forgetAbsences() {
    let named = settings.configuration.domains.map(\.domain)
    do throws(SystemError) {
      try absent.remove { !named.contains($0) }
    } catch {
      complain(of: error)
    }
  }

  /// Something was made or removed above a missing cgroup.
  func absenceNoticed() {
    now = surroundings.now()
    lookForAbsent()
    finishBatch()
  }

  /// Looks whether missing cgroups are there by now.
  func lookForAbsent() {
    nextLook = nil
    for domain in absent.domains where absent.isThere(domain) {
      if watches.contains(where: { $0.domain == domain }) {
        // A budget needs no files, so the core never lost it: only the triggers are missing.
        watch(domain)
      } else if read(domain) != nil {
        noteAbsence(of: domain, isAbsent: false)
        log(.info, "the cgroup of a domain was made", [("domain", domain.name)])
        submit(.domainFound(domain))
      } else {
        armLook(ifThere: domain)
      }
    }
    do throws(SystemError) {
      try absent.arm()
    } catch {
      complain(of: error)
    }
  }

  private func armLook(ifThere domain: DomainID) {
    guard absent.isThere(domain), absent.takeLook(at: domain) else { return }
    nextLook = nextLook ?? now + AbsentDomains.lookPeriod
  }

  private func complain(of error: SystemError) {
    log(
      .warning,
      "cgroups that the settings name are not noticed when they are made",
      [("reason", error.description)]
    )
  }
}
