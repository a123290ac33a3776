// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKModel
import UCMKProtocol

// MARK: - Caches that come and go

extension ClientEngine {
  /// Brings the records into line with the caches that are registered now.
  ///
  /// - Parameters:
  ///   - cells: In the order of registration; those above the limit stay unknown to the daemon
  ///     until another leaves.
  ///   - now: The present moment.
  package func adopt(_ cells: [CacheCell], at now: MonotonicInstant) {
    for place in records.indices {
      guard let record = records[place], record.cell.isCancelled else { continue }
      abandon(place)
      if let id = record.id {
        if isLive { unregister(id) } else { departed.append(id) }
      }
      records[place] = nil
    }
    for cell in cells where !cell.isCancelled {
      if records.contains(where: { $0?.cell === cell }) { continue }
      let record = CacheRecord(cell: cell, now: now)
      if let place = records.firstIndex(where: { $0 == nil }) {
        records[place] = record
      } else if records.count < ClientEngine.cacheLimit {
        records.append(record)
      } else {
        break
      }
      cell.pollUsage()
    }
    answerSettled(at: now)
    synchronize()
  }
}

// MARK: - Usage

extension ClientEngine {
  var hasRegistered: Bool { records.contains { $0?.id != nil } }

  /// Asks the caches for their usage.
  ///
  /// While nothing changes the questions get rarer, down to the longest time between two reports:
  /// an idle program is not woken every second.
  func pollUsages(at now: MonotonicInstant) {
    guard hasRegistered, now.since(polledAt) >= pollSpacing else { return }
    polledAt = now
    var hasChanged = false
    for record in records {
      guard let record, record.id != nil else { continue }
      if record.cell.usage != record.reported { hasChanged = true }
      record.cell.pollUsage()
    }
    pollSpacing =
      hasChanged
      ? settings.reportInterval : min(pollSpacing + pollSpacing, ReportRule.longest)
  }

  /// Writes one report of every cache that has something to tell.
  func writeReports(at now: MonotonicInstant) {
    guard now.since(reportedAt) >= reportSpacing, writer.count < ClientEngine.courtesyLimit else {
      return
    }
    report.caches.removeAll(keepingCapacity: true)
    for place in records.indices {
      guard let record = records[place], let id = record.id else { continue }
      let usage = record.cell.usage
      guard record.isReportDue(usage, now: now) else { continue }
      report.caches.append(CacheReport.Entry(id: id, usage: usage))
      records[place]?.reported = usage
      records[place]?.reportedAt = now
      records[place]?.mustReport = false
      record.cell.noteReported(usage)
    }
    guard !report.caches.isEmpty else { return }
    reportedAt = now
    pollSpacing = settings.reportInterval
    report.writeNotification(to: &writer)
  }

  /// When the next report can leave, if anything waits for it.
  func nextReport(after now: MonotonicInstant) -> MonotonicInstant? {
    var due: MonotonicInstant?
    for record in records {
      guard let record, record.id != nil, record.mustReport || record.cell.usage != record.reported
      else { continue }
      let isDue = record.isReportDue(record.cell.usage, now: now)
      let instant = isDue ? reportedAt + reportSpacing : record.reportedAt + ReportRule.longest
      due = min(due ?? instant, instant)
    }
    return due
  }
}
