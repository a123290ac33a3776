// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import UCMKClient
import UCMKModel
import UCMKProtocol

/// An engine with caches that nobody serves: the test says what time it is, what the daemon
/// sends, and what the caches do.
final class EngineHarness {
  let engine: ClientEngine
  var now = MonotonicInstant(nanoseconds: 1_000_000_000_000)
  private(set) var cells: [CacheCell] = []
  private var decoder = FrameDecoder(limit: 1 << 20)

  init(reportInterval: TimeSpan = .seconds(1)) {
    engine = ClientEngine(
      settings: .init(name: "test", reportInterval: reportInterval, trimsMalloc: true),
      housekeeper: Housekeeper(wake: {})
    )
  }

  /// Registers a cache of this size.
  @discardableResult
  func add(_ name: CacheName, _ bytes: ByteCount) -> CacheCell {
    let cell = CacheCell(
      name: name,
      wireName: name.text,
      policy: CachePolicy(),
      cache: ClosureCache(usage: { .zero }, shrink: { _ in .nothing }),
      wake: {}
    )
    cell.noteUsage(CacheUsage(bytes: bytes, reclaimable: bytes))
    cells.append(cell)
    engine.adopt(cells, at: now)
    return cell
  }

  /// Connects and gives the caches the ids 1, 2 and so on.
  func goLive(resumed: Bool = false, extra: String = "") {
    engine.connected(at: now)
    let hello = sent()
    send(
      #"{"jsonrpc":"2.0","id":\#(id(of: hello[0])),"result":{"protocol":1,"session":"c1","#
        + #""resume_token":"t1","resumed":\#(resumed)\#(extra)}}"#
    )
  }

  /// Answers the registration that is in `line`.
  func register(_ line: String, from first: Int = 1) {
    let names = line.split(separator: #"{"name":""#).dropFirst().map { $0.prefix { $0 != "\"" } }
    let entries = names.enumerated().map { #"{"name":"\#($1)","id":\#(first + $0)}"# }
    let list = entries.joined(separator: ",")
    send(#"{"jsonrpc":"2.0","id":\#(id(of: line)),"result":{"caches":[\#(list)]}}"#)
  }

  /// Connects, registers everything, and forgets what was sent for that.
  func start(extra: String = "") {
    goLive(extra: extra)
    var first = 1
    for line in sent() where line.contains("cache.register") {
      register(line, from: first)
      first += 8
    }
    _ = sent()
  }

  /// What the daemon sends.
  func send(_ line: String) {
    decoder.append(Array((line + "\n").utf8))
    while case .line(let range)? = decoder.next() {
      engine.receive(decoder.bytes, in: range, at: now)
    }
  }

  /// A request to shrink with these ids and bytes.
  func shrink(
    id: Int = 1,
    _ targets: [(Int, UInt64)],
    deadline: Int = 1_000,
    level: String = "medium"
  ) {
    let list = targets.map { #"{"id":\#($0),"bytes":\#($1)}"# }.joined(separator: ",")
    send(
      #"{"jsonrpc":"2.0","id":\#(id),"method":"shrink","params":{"round":7,"attempt":1,"#
        + #""level":"\#(level)","scope":{"kind":"host"},"deadline_ms":\#(deadline),"#
        + #""targets":[\#(list)],"trim":false}}"#
    )
  }

  /// The lines that were written since the last call.
  func sent() -> [String] {
    let text = String(decoding: engine.writer.bytes, as: UTF8.self)
    engine.writer.removeAll()
    return text.split(separator: "\n").map(String.init)
  }

  /// Lets time pass and does what is due then.
  func wait(_ span: TimeSpan) {
    now = now + span
    engine.tick(at: now)
  }

  func id(of line: String) -> Int {
    guard let start = line.firstRange(of: #""id":"#) else { return 0 }
    return Int(line[start.upperBound...].prefix { $0.isNumber }) ?? 0
  }
}
