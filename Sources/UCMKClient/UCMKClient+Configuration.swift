// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

internal import UCMKModel

extension UCMKClient {
  /// How a client behaves; the defaults suit a program that only wants to give memory back.
  public struct Configuration: Sendable {
    /// Where the daemon is.
    public enum Transport: Sendable, Hashable {
      /// `$UCMK_SOCKET`, else the system's socket; with `$UCMK_SCOPE=user` the user's own first.
      /// `UCMK_SOCKET` empty or `/dev/null` leaves the pressure file alone.
      case automatic
      /// The socket at this path, whatever the environment says.
      case unixSocket(path: String)
      /// No daemon: the program's own pressure file alone.
      case localOnly
      /// Nothing at all: no thread, no file. Registering works and does nothing.
      case disabled
    }

    /// What is watched while no daemon is reached.
    public enum Fallback: Sendable, Hashable {
      /// `$MEMORY_PRESSURE_WATCH`, else the own cgroup's `memory.pressure`, else nothing.
      case automatic
      /// The own cgroup's `memory.pressure` alone.
      case psi
      /// `$MEMORY_PRESSURE_WATCH` alone.
      case memoryPressureWatch
      /// Nothing.
      case none
    }

    /// Where the daemon is.
    public var transport: Transport
    /// What people see, cut to 64 bytes; the name of the process where nil.
    public var applicationName: String?
    /// How often caches are asked for their usage while it changes; at least 100 ms.
    public var reportInterval: Duration
    /// The shortest and the longest wait between two attempts to connect.
    public var reconnect: ClosedRange<Duration>
    /// Whether free heap pages are handed back after a shrink that asks for it (`malloc_trim`).
    public var trimMalloc: Bool
    /// What is watched while no daemon is reached.
    public var fallback: Fallback

    /// Makes a configuration.
    public init(
      transport: Transport = .automatic,
      applicationName: String? = nil,
      reportInterval: Duration = .seconds(1),
      reconnect: ClosedRange<Duration> = .milliseconds(250) ... .seconds(30),
      trimMalloc: Bool = true,
      fallback: Fallback = .automatic
    ) {
      self.transport = transport
      self.applicationName = applicationName
      self.reportInterval = reportInterval
      self.reconnect = reconnect
      self.trimMalloc = trimMalloc
      self.fallback = fallback
    }
  }
}

extension TimeSpan {
  /// The same length; nothing for a negative one.
  package init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    let whole = TimeSpan.seconds(UInt64(clamping: seconds))
    self = whole + TimeSpan(nanoseconds: UInt64(clamping: attoseconds / 1_000_000_000))
  }
}
