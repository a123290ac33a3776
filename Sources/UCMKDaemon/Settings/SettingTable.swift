// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel

/// One key that `ucmkd.conf` knows.
package struct Setting: Sendable {
  /// The section, the key, the default as it is written, and what it means, for people.
  package let section: String, key: String, defaultText: String, meaning: String
  /// Puts the value of an entry into the settings.
  let apply: @Sendable (inout Settings, SettingsEntry) throws(ValueProblem) -> Void
}

/// The one list of keys: the reader, the sample file and the manual page follow it, and a test
/// holds them together.
package enum SettingTable {
  /// Every key, in the order of the sample file.
  package static let all: [Setting] =
    watermarks + pressure + host + limits + access + domain + client

  /// The sections that exist, and which of them need an argument.
  package static let sections: [(name: String, needsArgument: Bool)] = [
    ("Watermarks", false), ("Pressure", false), ("Host", false), ("Limits", false),
    ("Access", false), ("Policy", false), ("Domain", true), ("Client", true),
  ]

  private static let watermarks = [
    watermark("Low", "5%", "available memory of the host below which a round starts", \.low),
    watermark("High", "8%", "available memory at which a round has done enough", \.high),
    watermark("Grow", "12%", "available memory above which caches may grow again", \.grow),
  ]

  private static let pressure = [
    stall("Low", "some 70ms/1s", "stall from which on the level is low", \.low),
    stall("Medium", "some 150ms/1s", "stall from which on the level is medium", \.medium),
    stall("Critical", "full 70ms/1s", "stall from which on the level is critical", \.critical),
  ]

  private static func watermark(
    _ key: String,
    _ defaultText: String,
    _ meaning: String,
    _ path: any WritableKeyPath<WatermarkSettings, Amount> & Sendable
  ) -> Setting {
    Setting(section: "Watermarks", key: key, defaultText: defaultText, meaning: meaning) {
      settings,
      entry throws(ValueProblem) in
      settings.configuration.watermarks[keyPath: path] = try SettingsValue.amount(entry.value)
      settings.configuration.watermarks.isExplicit = true
    }
  }

  private static func stall(
    _ key: String,
    _ defaultText: String,
    _ meaning: String,
    _ path: any WritableKeyPath<PressureThresholds, StallThreshold> & Sendable
  ) -> Setting {
    Setting(section: "Pressure", key: key, defaultText: defaultText, meaning: meaning) {
      settings,
      entry throws(ValueProblem) in
      settings.configuration.thresholds[keyPath: path] = try SettingsValue.threshold(entry.value)
    }
  }

  private static let host = [
    Setting(
      section: "Host",
      key: "Require",
      defaultText: "",
      meaning: "what has to be there for the daemon to start: psi, cgroup2"
    ) { settings, entry throws(ValueProblem) in
      settings.required = []
      for word in entry.value.split(separator: " ") {
        guard let required = HostRequirement(rawValue: String(word)) else {
          throw ValueProblem("psi, cgroup2 or both with a blank between")
        }
        settings.required.append(required)
      }
    }
  ]

  private static let limits = [
    Setting(
      section: "Limits",
      key: "ConnectionsPerUser",
      defaultText: "\(Settings.defaultConnectionsPerUser)",
      meaning: "connections of one user at most"
    ) { settings, entry throws(ValueProblem) in
      settings.connectionsPerUser = try SettingsValue.number(
        entry.value,
        in: 1...Settings.connectionsMaximum
      )
    },
    Setting(
      section: "Limits",
      key: "Connections",
      defaultText: "\(Settings.defaultConnections)",
      meaning: "connections in all at most"
    ) { settings, entry throws(ValueProblem) in
      settings.connections = try SettingsValue.number(
        entry.value,
        in: 1...Settings.connectionsMaximum
      )
    },
  ]

  private static let access = [
    Setting(
      section: "Access",
      key: "ObserverGroup",
      defaultText: Settings.defaultObserverGroup,
      meaning: "group whose members may look at every client and round"
    ) { settings, entry throws(ValueProblem) in
      settings.observerGroup = try SettingsValue.group(entry.value)
    },
    Setting(
      section: "Access",
      key: "AdminGroup",
      defaultText: "",
      meaning: "group whose members may start rounds, reload, pause and override"
    ) { settings, entry throws(ValueProblem) in
      settings.adminGroup = try SettingsValue.group(entry.value)
    },
    Setting(
      section: "Policy",
      key: "Quota",
      defaultText: QuotaRule.levelDown.name,
      meaning: "rule by which a target is split"
    ) { settings, entry throws(ValueProblem) in
      for rule in QuotaRule.allCases where rule.name == entry.value {
        settings.configuration.quota = rule
        return
      }
      throw ValueProblem(QuotaRule.allCases.map(\.name).joined(separator: ", "))
    },
  ]

  private static let client = [
    Setting(
      section: "Client",
      key: "Share",
      defaultText: "100",
      meaning: "share granted to the clients that match, 1 to 10000"
    ) { settings, entry throws(ValueProblem) in
      let share = try SettingsValue.number(entry.value, in: 1...10_000)
      try settings.changeRule(entry) { $0.share = UInt32(share) }
    },
    Setting(
      section: "Client",
      key: "Floor",
      defaultText: "0",
      meaning: "bytes that each of them keeps below critical"
    ) { settings, entry throws(ValueProblem) in
      let floor = try SettingsValue.size(entry.value)
      try settings.changeRule(entry) { $0.floor = floor }
    },
  ]
}

extension Settings {
  /// Finds or makes the rule of the entry's section and changes it.
  mutating func changeRule(
    _ entry: SettingsEntry,
    _ change: (inout ClientRule) -> Void
  ) throws(ValueProblem) {
    let match = try ClientRule.Match(entry.argument)
    let index = rulePlaces.place(of: match, orNew: rules.count)
    if index == rules.count { rules.append(ClientRule(match: match)) }
    change(&rules[index])
  }

  /// Finds or makes the settings of the entry's domain and changes them.
  mutating func changeDomain(
    _ entry: SettingsEntry,
    _ change: (inout DomainSettings) -> Void
  ) throws(ValueProblem) {
    guard let domain = DomainID(setting: entry.argument) else {
      throw ValueProblem("host, or the path of a cgroup that begins with /")
    }
    let index = domainPlaces.place(of: domain, orNew: configuration.domains.count)
    if index == configuration.domains.count {
      configuration.domains.append(DomainSettings(domain: domain))
    }
    change(&configuration.domains[index])
  }
}

extension DomainID {
  /// The domain that `[Domain …]` names; nil where it is neither `host` nor a path.
  init?(setting text: String) {
    guard text != "host" else {
      self = .host
      return
    }
    guard text.first == "/",
      !text.split(separator: "/").contains(where: { $0 == ".." || $0 == "." })
    else { return nil }
    var path = text
    while path.count > 1, path.last == "/" { path.removeLast() }
    self = .cgroup(path)
  }
}
