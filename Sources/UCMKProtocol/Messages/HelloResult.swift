// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

public import UCMKModel

/// What `hello` answers: who the client is to the daemon, and what holds between them.
public struct HelloResult: MessageResult, Hashable {
  /// The version that is spoken from here on.
  public var version: UInt32
  /// The daemon's name and release.
  public var daemonName = "ucmkd", daemonVersion = ""
  /// The name of the session, such as `c17`.
  public var session: String
  /// What a later `hello` may show to get the caches back; empty where the daemon gave none.
  public var resumeToken: String
  /// Whether the caches of a lost session were given back.
  public var isResumed: Bool
  /// How long a connection may be silent before it is pinged.
  public var heartbeat = HelloResult.defaultHeartbeat
  /// The least time between two reports that are both heard.
  public var reportMinimumInterval = HelloResult.defaultReportInterval
  /// The limits that the daemon enforces.
  public var limits = ProtocolLimits()
  /// The machine.
  public var host: Host
  /// The client as the kernel names it.
  public var you: Peer
  /// What the daemon can do.
  public var capabilities: Capabilities

  /// `docs/PROTOCOL.md` §5, liveness.
  public static let defaultHeartbeat = TimeSpan.milliseconds(15_000)

  /// A second through the ten reports that §2 lets through in it.
  public static let defaultReportInterval = TimeSpan.milliseconds(100)

  /// Makes the result of a session of this name; the rest is set afterwards.
  public init(session: String, resumeToken: String, host: Host, you: Peer) {
    version = ProtocolVersion.supported.upperBound
    self.session = session
    self.resumeToken = resumeToken
    isResumed = false
    self.host = host
    self.you = you
    capabilities = [.shrink, .limit]
  }

  /// Reads it; only the version and the session must be there.
  ///
  /// - Throws: `RPCError.invalidParams` with the path of the member that is wrong.
  public init(result: JSONValue) throws(RPCError) {
    let reader = try ParamReader(result)
    version = UInt32(try reader.requireUnsigned("protocol", WireRange.version))
    session = try reader.requireText("session", WireRange.name)
    let daemon = try reader.reader("daemon")
    daemonName = try daemon?.text("name", WireRange.text) ?? ""
    daemonVersion = try daemon?.text("version", WireRange.text) ?? ""
    resumeToken = try reader.text("resume_token", WireRange.text) ?? ""
    isResumed = try reader.bool("resumed") ?? false
    heartbeat = try reader.milliseconds("heartbeat_ms") ?? HelloResult.defaultHeartbeat
    reportMinimumInterval =
      try reader.milliseconds("report_min_interval_ms") ?? HelloResult.defaultReportInterval
    if let limits = try reader.reader("limits") { self.limits = try ProtocolLimits(limits) }
    host = try Host(try reader.reader("host"))
    you = try Peer(try reader.reader("you"))
    capabilities = try Capabilities(try reader.reader("capabilities"))
  }

  /// Writes the result.
  public func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.member("protocol", UInt64(version))
      writer.member(object: "daemon") { writer in
        writer.member("name", daemonName)
        writer.member("version", daemonVersion)
      }
      writer.member("session", session)
      writer.member("resume_token", resumeToken)
      writer.member("resumed", isResumed)
      writer.member("heartbeat_ms", milliseconds: heartbeat)
      writer.member("report_min_interval_ms", milliseconds: reportMinimumInterval)
      writer.key("limits")
      limits.write(to: &writer)
      writer.key("host")
      host.write(to: &writer)
      writer.key("you")
      you.write(to: &writer)
      writer.key("capabilities")
      capabilities.write(to: &writer)
    }
  }
}

extension HelloResult {
  /// What a client may want to know of the machine.
  public struct Host: Sendable, Hashable {
    /// `MemTotal` and `SwapTotal`.
    public var memoryTotal: ByteCount, swapTotal: ByteCount
    /// The size of a page.
    public var pageSize: ByteCount
    /// Whether the kernel tells stall times, and whether a v2 hierarchy is mounted.
    public var hasPressure: Bool, hasCgroup2: Bool

    /// Makes a description of a machine.
    public init(
      memoryTotal: ByteCount,
      swapTotal: ByteCount,
      pageSize: ByteCount,
      hasPressure: Bool,
      hasCgroup2: Bool
    ) {
      self.memoryTotal = memoryTotal
      self.swapTotal = swapTotal
      self.pageSize = pageSize
      self.hasPressure = hasPressure
      self.hasCgroup2 = hasCgroup2
    }

    init(_ reader: ParamReader?) throws(RPCError) {
      memoryTotal = try reader?.bytes("mem_total") ?? .zero
      swapTotal = try reader?.bytes("swap_total") ?? .zero
      // 4 KiB is what every Linux that says nothing else has had.
      pageSize = try reader?.bytes("page_size") ?? .kibibytes(4)
      hasPressure = try reader?.bool("psi") ?? false
      hasCgroup2 = try reader?.bool("cgroup2") ?? false
    }

    func write(to writer: inout JSONWriter) {
      writer.object { writer in
        writer.member("mem_total", memoryTotal)
        writer.member("page_size", pageSize)
        writer.member("psi", hasPressure)
        writer.member("cgroup2", hasCgroup2)
        writer.member("swap_total", swapTotal)
      }
    }
  }

  /// The client as the kernel names it.
  public struct Peer: Sendable, Hashable {
    /// The process, in the daemon's namespace; 0 where the daemon did not say.
    public var process: ProcessID
    /// Its user and group.
    public var userID: UInt32, groupID: UInt32
    /// Its v2 path, or nil where no v2 hierarchy is mounted.
    public var cgroup: String?
    /// What its uid may do.
    public var roles: [Role]

    /// Makes a description of a process.
    public init(
      process: ProcessID,
      userID: UInt32,
      groupID: UInt32,
      cgroup: String?,
      roles: [Role]
    ) {
      self.process = process
      self.userID = userID
      self.groupID = groupID
      self.cgroup = cgroup
      self.roles = roles
    }

    init(_ reader: ParamReader?) throws(RPCError) {
      let identifiers: ClosedRange<UInt64> = 0...UInt64(UInt32.max)
      let process = try reader?.unsigned("pid", 0...UInt64(Int32.max)) ?? 0
      self.process = ProcessID(Int32(process))
      userID = UInt32(try reader?.unsigned("uid", identifiers) ?? 0)
      groupID = UInt32(try reader?.unsigned("gid", identifiers) ?? 0)
      let cgroupIsNull = reader?.value("cgroup")?.isNull ?? true
      cgroup = cgroupIsNull ? nil : try reader?.text("cgroup", WireRange.path)
      roles = []
      // A role of a later daemon is none that this library knows to use.
      guard let listed = reader?.value("roles") else { return }
      for role in listed.elements {
        if let role = role.string.flatMap(Role.init(name:)) { roles.append(role) }
      }
    }

    func write(to writer: inout JSONWriter) {
      writer.object { writer in
        writer.member("pid", UInt64(max(0, process.number)))
        writer.member("uid", UInt64(userID))
        writer.member("gid", UInt64(groupID))
        writer.key("cgroup")
        if let cgroup { writer.string(cgroup) } else { writer.null() }
        writer.member(array: "roles") { writer in
          for role in roles { writer.string(role.name) }
        }
      }
    }
  }
}
