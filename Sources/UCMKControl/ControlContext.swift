// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Everything of the process that a command touches, so that tests can hand in their own.
package struct ControlContext {
  /// The environment's variables.
  package var environment: [String: String]
  /// Standard output.
  package var output: any TextSink
  /// Standard error.
  package var errors: any TextSink
  /// Whether standard output is a terminal.
  package var isTerminal: Bool
  /// Columns of that terminal; nil where there is none.
  package var columns: Int?
  /// Whose clock moments are shown by.
  package var zone: Quantity.TimeZone
  /// Microseconds since 1970, now.
  package var wallClock: @Sendable () -> Int64
  /// The folder in which this program lies, where `ucmkd` is looked for first; nil if unknown.
  package var programFolder: String?
  /// Where `doctor` reads about the host.
  package var host: HostRoots

  /// Makes a context that touches nothing but the two sinks.
  package init(output: any TextSink, errors: any TextSink) {
    environment = [:]
    self.output = output
    self.errors = errors
    isTerminal = false
    columns = nil
    zone = .local
    wallClock = { Clock.wallMicroseconds() }
    programFolder = nil
    host = HostRoots()
  }

  /// The context of this very process, whose environment is `environment`.
  package static func process(environment: [String: String]) -> ControlContext {
    var context = ControlContext(
      output: FileSink(descriptor: STDOUT_FILENO),
      errors: FileSink(descriptor: STDERR_FILENO)
    )
    context.environment = environment
    context.isTerminal = isatty(STDOUT_FILENO) == 1
    context.columns = context.isTerminal ? terminalColumns(environment) : nil
    context.programFolder = executableFolder()
    return context
  }

  /// Shows one answer: as a document with `--json`, else as the lines that `draw` makes.
  package func show(
    _ result: JSONValue,
    _ options: ToolOptions,
    draw: (Page) -> [String]
  ) {
    guard !options.json else { return output.write(result.document + "\n") }
    write(draw(page(options)))
  }

  /// Writes each of `lines` to standard output.
  package func write(_ lines: [String]) {
    output.write(lines.map { $0 + "\n" }.joined())
  }

  /// How text is to look with these options here: colour only on a terminal and without
  /// `NO_COLOR` (an empty one does not count, as no-color.org has it).
  package func page(_ options: ToolOptions) -> Page {
    let refused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
    return Page(
      style: Style(hasColour: isTerminal && !refused && environment["TERM"] != "dumb"),
      width: columns,
      rawBytes: options.rawBytes,
      zone: zone
    )
  }

  private static func terminalColumns(_ environment: [String: String]) -> Int {
    if let named = environment["COLUMNS"].flatMap({ Int($0) }), named > 0 { return named }
    var size = winsize()
    let outcome = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
    return outcome == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  private static func executableFolder() -> String? {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = unsafe buffer.withUnsafeMutableBytes { room in
      guard let start = room.baseAddress else { return 0 }
      return unsafe readlink("/proc/self/exe", start, room.count)
    }
    guard count > 0 else { return nil }
    let path = String(decoding: buffer[..<count], as: UTF8.self)
    return path.lastIndex(of: "/").map { String(path[..<$0]) }
  }
}
