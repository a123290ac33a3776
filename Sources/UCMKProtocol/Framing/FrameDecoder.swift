// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// Cuts a stream of bytes into lines.
///
/// LF ends a line, a CR before it belongs to the end, empty lines are not reported. A line above
/// the limit is reported once, at the first byte too many, and dropped up to its LF, where reading
/// starts afresh. The buffer never holds more than one unfinished line and the last chunk, each
/// byte is looked at once, and what an idle connection keeps is at most `restingCapacity`.
public struct FrameDecoder: Sendable {
  /// What came next in the stream.
  public enum Frame: Sendable, Hashable {
    /// A line, by its place in `bytes`, without its end.
    case line(Range<Int>)
    /// A line above the limit, or the beginning of one.
    case oversized
  }

  /// Bytes that a drained decoder keeps: room for the messages of every day (a shrink answer for
  /// one cache is 180 B), small beside the socket's own buffers in the kernel.
  public static let restingCapacity = 1_024

  /// The most a line may hold, in bytes, without its end.
  public let limit: Int

  /// The buffer in which the ranges of the lines lie.
  ///
  /// A range is good until the next `append`, `lend` or `takeBack`. A copy that is still alive then
  /// makes the decoder copy its buffer.
  public private(set) var bytes: [UInt8] = []

  /// The first byte that belongs to no line that was reported.
  private var start = 0
  /// The first byte that was not looked at yet; never less than `start`.
  private var scanned = 0
  /// Behind the last byte that was received; a lent buffer goes on behind it.
  private var end = 0
  /// Whether `bytes` is the receiver's buffer.
  private var isLent = false
  /// Inside a line above the limit, of which the rest is dropped.
  private var isDropping = false

  /// Bytes that this decoder keeps when it is drained, and has from the beginning.
  private let resting: Int

  /// Makes a decoder.
  ///
  /// - Parameters:
  ///   - limit: The most bytes of a line.
  ///   - resting: Bytes that are there beforehand and kept: whoever must read a message while
  ///     there is no memory asks for the size of that message.
  public init(limit: Int = ProtocolLimits().lineIn, resting: Int = 0) {
    precondition(limit > 0, "a line has room for something")
    self.limit = limit
    bytes.reserveCapacity(resting)
    self.resting = max(bytes.capacity, FrameDecoder.restingCapacity)
  }

  /// Bytes of a line whose end has not come yet.
  public var pendingCount: Int { end - start }

  /// Takes over what was received.
  ///
  /// - Parameters:
  ///   - chunk: The receiver's buffer.
  ///   - range: The part of it that was filled.
  public mutating func append(_ chunk: [UInt8], in range: Range<Int>) {
    var range = range
    if isDropping {
      guard let lineEnd = FrameDecoder.lineFeed(chunk, in: range) else { return }
      isDropping = false
      range = lineEnd + 1..<range.upperBound
    }
    compact()
    bytes.append(contentsOf: chunk[range])
    end = bytes.count
  }

  /// Takes over what was received.
  public mutating func append(_ chunk: [UInt8]) { append(chunk, in: 0..<chunk.count) }

  /// Reads lines where they were received, until `takeBack`: nothing is copied, and nothing kept
  /// for a peer that sends whole lines.
  ///
  /// Where the beginning of a line waits, the bytes are taken over as by `append`.
  ///
  /// - Parameters:
  ///   - buffer: The receiver's buffer; not to be used before it is taken back.
  ///   - count: How much of it was filled.
  public mutating func lend(_ buffer: inout [UInt8], filled count: Int) {
    precondition(!isLent, "a buffer is taken back before another one is lent")
    guard start == end, !isDropping else { return append(buffer, in: 0..<count) }
    rest()
    swap(&bytes, &buffer)
    isLent = true
    end = count
  }

  /// Gives the receiver its buffer back and keeps what was not read.
  ///
  /// - Parameter buffer: What was handed to `lend`.
  public mutating func takeBack(_ buffer: inout [UInt8]) {
    guard isLent else { return }
    swap(&bytes, &buffer)
    isLent = false
    bytes.append(contentsOf: buffer[start..<end])
    scanned -= start
    start = 0
    end = bytes.count
  }

  /// The next line, or nil until more bytes come.
  public mutating func next() -> Frame? {
    while true {
      guard let lineEnd = FrameDecoder.lineFeed(bytes, in: scanned..<end) else {
        return restOfBuffer()
      }
      let line = start..<contentEnd(lineEnd)
      start = lineEnd + 1
      scanned = start
      if line.isEmpty { continue }
      return line.count > limit ? .oversized : .line(line)
    }
  }

  /// Frees what a busy connection needed and an idle one does not.
  ///
  /// To be called when `next()` has returned nil; safe at any time.
  public mutating func rest() {
    guard start == end, !isLent else { return }
    bytes.removeAll(keepingCapacity: bytes.capacity <= resting)
    if resting > FrameDecoder.restingCapacity { bytes.reserveCapacity(resting) }
    start = 0
    scanned = 0
    end = 0
  }

  /// No line end in sight: keep waiting, unless the line is too long already.
  private mutating func restOfBuffer() -> Frame? {
    scanned = end
    guard contentEnd(end) - start > limit else {
      rest()
      return nil
    }
    isDropping = true
    start = end
    rest()
    return .oversized
  }

  /// `lineEnd`, or the place of the CR before it.
  private func contentEnd(_ lineEnd: Int) -> Int {
    lineEnd > start && bytes[lineEnd - 1] == UInt8(ascii: "\r") ? lineEnd - 1 : lineEnd
  }

  /// Moves the unfinished line to the front once more than half of the buffer is done with, so that
  /// a byte is moved at most once for each byte that was consumed.
  private mutating func compact() {
    guard start > 0, start >= end - start else { return }
    bytes.removeSubrange(0..<start)
    scanned -= start
    start = 0
    end = bytes.count
  }

  private static func lineFeed(_ bytes: [UInt8], in range: Range<Int>) -> Int? {
    let text = bytes.span.extracting(range)
    var index = 0
    // Eight bytes at a time: every byte of every message comes by here.
    while index + 8 <= text.count {
      let word = unsafe text.withUnsafeBytes {
        unsafe $0.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      }
      if hasLineFeed(word) { break }
      index += 8
    }
    while index < text.count {
      if text[index] == UInt8(ascii: "\n") { return range.lowerBound + index }
      index += 1
    }
    return nil
  }

  /// Whether one of the eight bytes is a line feed: where it is, its byte of `rest` is zero, and
  /// only a zero borrows into its highest bit.
  @inline(__always)
  private static func hasLineFeed(_ word: UInt64) -> Bool {
    let rest = word ^ 0x0A0A_0A0A_0A0A_0A0A
    return (rest &- 0x0101_0101_0101_0101) & ~rest & 0x8080_8080_8080_8080 != 0
  }
}
