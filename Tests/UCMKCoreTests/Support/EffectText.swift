// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKModel

@testable import UCMKCore

/// One effect as one short line, so that a test shows what followed at a glance.
extension Stage {
  func text(of effect: Effect) -> String {
    switch effect {
    case .watch(let domain): "watch \(domain.name)"
    case .unwatch(let domain): "unwatch \(domain.name)"
    case .sample(let domain): "sample \(domain.name)"
    case .measure(let process): "measure \(process.number)"
    case .ask(let order):
      "ask \(order.client.name) r\(order.round.number).\(order.attempt) \(order.level.name)"
        + targetText(order.targets) + (order.dryRun ? " dry" : "")
    case .cancel(let client, let round, let attempt):
      "cancel \(client.name) r\(round.number).\(attempt)"
    case .limit(let client, let range): "limit \(client.name)" + limitText(range)
    case .relax(let client, let round, let level, let range):
      "relax \(client.name) r\(round.number) \(level.name)" + limitText(range)
    case .leftOut(let client): "left out \(client.name)"
    case .keepsMemory(let client): "keeps memory \(client.name)"
    case .exhausted(let domain): "exhausted \(domain.name)"
    case .relieved(let domain): "relieved \(domain.name)"
    case .levelChanged(let domain, let from, let to):
      "level \(domain.name) \(from.name)>\(to.name)"
    case .stateChanged(let domain, let from, let to):
      "state \(domain.name) \(from.name)>\(to.name)"
    case .roundOpened(let round): "open r\(round.number)"
    case .roundClosed(let round): "close r\(round.number)"
    case .accepted(let token, let round): "accept \(token.number) r\(round.number)"
    case .declined(let token, .busy(let span)):
      "decline \(token.number) busy \(span.milliseconds)ms"
    case .pauseChanged(let isPaused): isPaused ? "pause" : "resume"
    }
  }

  private func targetText(_ range: Range<Int>) -> String {
    broker.targets[range].map { target in
      " \(target.cache.number):\(target.bytes.short)"
        + (target.limit.map { "<\($0.short)" } ?? "")
    }.joined()
  }

  private func limitText(_ range: Range<Int>) -> String {
    broker.limits[range].map { limit in
      " \(limit.cache.number)<\(limit.limit?.short ?? "-")"
    }.joined()
  }
}

extension ByteCount {
  /// `8M` and `4K` where it is whole, else the plain number.
  var short: String {
    if value > 0, value % (1 << 20) == 0 { return "\(value >> 20)M" }
    if value > 0, value % (1 << 10) == 0 { return "\(value >> 10)K" }
    return "\(value)"
  }
}
