// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKCore
import UCMKModel
import UCMKProtocol

/// Writes and reads the policy's settings within a recording.
enum ConfigurationCodec {
  static func write(_ configuration: Configuration, to writer: inout JSONWriter) {
    writer.member("quota", configuration.quota.name)
    writer.key("watermarks")
    write(configuration.watermarks, &writer)
    writer.key("thresholds")
    write(configuration.thresholds, &writer)
    writer.key("domains")
    writer.beginArray()
    for domain in configuration.domains {
      writer.beginObject()
      writer.member("domain", domain.domain.name)
      if let capacity = domain.capacity { writer.member("capacity", raw: capacity) }
      if let watermarks = domain.watermarks {
        writer.key("watermarks")
        write(watermarks, &writer)
      }
      if let thresholds = domain.thresholds {
        writer.key("thresholds")
        write(thresholds, &writer)
      }
      writer.endObject()
    }
    writer.endArray()
  }

  private static func write(_ watermarks: WatermarkSettings, _ writer: inout JSONWriter) {
    writer.beginArray()
    for amount in [watermarks.low, watermarks.high, watermarks.grow] {
      switch amount {
      case .bytes(let bytes):
        writer.string("bytes" as StaticString)
        writer.unsigned(bytes.value)
      case .part(let part):
        writer.string("part" as StaticString)
        writer.unsigned(UInt64(part.parts))
      }
    }
    writer.bool(watermarks.isExplicit)
    writer.endArray()
  }

  private static func write(_ thresholds: PressureThresholds, _ writer: inout JSONWriter) {
    writer.beginArray()
    for threshold in [thresholds.low, thresholds.medium, thresholds.critical] {
      writer.bool(threshold.isFull)
      writer.unsigned(threshold.stall.nanoseconds)
      writer.unsigned(threshold.window.nanoseconds)
    }
    writer.endArray()
  }

  static func read(_ fields: RecordedFields) throws(RecordingFault) -> Configuration {
    var configuration = Configuration()
    let rule = try fields.text("quota")
    guard let quota = QuotaRule.allCases.first(where: { $0.name == rule }) else {
      throw RecordingFault("a rule of quotas that exists")
    }
    configuration.quota = quota
    configuration.watermarks = try watermarks(try fields.list("watermarks"))
    configuration.thresholds = try thresholds(try fields.list("thresholds"))
    for value in try fields.list("domains") {
      let domain = RecordedFields(value)
      var settings = DomainSettings(domain: try domain.domain("domain"))
      settings.capacity = try domain.optionalBytes("capacity")
      if domain.has("watermarks") {
        settings.watermarks = try watermarks(try domain.list("watermarks"))
      }
      if domain.has("thresholds") {
        settings.thresholds = try thresholds(try domain.list("thresholds"))
      }
      configuration.domains.append(settings)
    }
    return configuration
  }

  private static func watermarks(
    _ values: [JSONValue]
  ) throws(RecordingFault) -> WatermarkSettings {
    guard values.count == 7, let isExplicit = values[6].bool else {
      throw RecordingFault("three watermarks and whether they were written")
    }
    var amounts: [Amount] = []
    for index in [0, 2, 4] {
      guard let number = values[index + 1].unsigned else {
        throw RecordingFault("a watermark's number")
      }
      if values[index].stringEquals("bytes") {
        amounts.append(.bytes(ByteCount(number)))
      } else if let parts = UInt32(exactly: number) {
        amounts.append(.part(Permyriad(parts)))
      } else {
        throw RecordingFault("a watermark's part")
      }
    }
    return WatermarkSettings(
      low: amounts[0],
      high: amounts[1],
      grow: amounts[2],
      isExplicit: isExplicit
    )
  }

  private static func thresholds(
    _ values: [JSONValue]
  ) throws(RecordingFault) -> PressureThresholds {
    guard values.count == 9 else { throw RecordingFault("three thresholds") }
    var read: [StallThreshold] = []
    for index in [0, 3, 6] {
      guard let isFull = values[index].bool, let stall = values[index + 1].unsigned,
        let window = values[index + 2].unsigned, window > 0
      else { throw RecordingFault("a threshold's kind, stall and window") }
      read.append(
        StallThreshold(
          isFull: isFull,
          stall: TimeSpan(nanoseconds: stall),
          window: TimeSpan(nanoseconds: window)
        )
      )
    }
    return PressureThresholds(low: read[0], medium: read[1], critical: read[2])
  }
}
