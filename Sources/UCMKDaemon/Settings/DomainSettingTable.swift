// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel

extension SettingTable {
  /// The keys of `[Domain …]`: what they leave out is taken from the sections of the host.
  static let domain = [
    Setting(
      section: "Domain",
      key: "Capacity",
      defaultText: "",
      meaning: "budget of the domain instead of a kernel limit"
    ) { settings, entry throws(ValueProblem) in
      let capacity = try SettingsValue.size(entry.value)
      guard capacity > .zero else { throw ValueProblem("a size above zero") }
      try settings.changeDomain(entry) { $0.capacity = capacity }
    },
    watermark("Low", "available memory of the domain below which a round starts", \.low),
    watermark("High", "available memory of the domain at which a round has done enough", \.high),
    watermark("Grow", "available memory of the domain above which caches may grow", \.grow),
    stall("PressureLow", "stall from which on the domain is at low", \.low),
    stall("PressureMedium", "stall from which on the domain is at medium", \.medium),
    stall("PressureCritical", "stall from which on the domain is at critical", \.critical),
  ]

  private static func watermark(
    _ key: String,
    _ meaning: String,
    _ path: any WritableKeyPath<WatermarkSettings, Amount> & Sendable
  ) -> Setting {
    Setting(section: "Domain", key: key, defaultText: "", meaning: meaning) {
      settings,
      entry throws(ValueProblem) in
      let amount = try SettingsValue.amount(entry.value)
      let inherited = settings.configuration.watermarks
      try settings.changeDomain(entry) { domain in
        var own = domain.watermarks ?? inherited
        own[keyPath: path] = amount
        own.isExplicit = true
        domain.watermarks = own
      }
    }
  }

  private static func stall(
    _ key: String,
    _ meaning: String,
    _ path: any WritableKeyPath<PressureThresholds, StallThreshold> & Sendable
  ) -> Setting {
    Setting(section: "Domain", key: key, defaultText: "", meaning: meaning) {
      settings,
      entry throws(ValueProblem) in
      let threshold = try SettingsValue.threshold(entry.value)
      let inherited = settings.configuration.thresholds
      try settings.changeDomain(entry) { domain in
        var own = domain.thresholds ?? inherited
        own[keyPath: path] = threshold
        domain.thresholds = own
      }
    }
  }
}
