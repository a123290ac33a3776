// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

package import UCMKCore
package import UCMKLinux
package import UCMKModel
import UCMKProtocol
import UCMKSystemd

/// The shell around the core: makes an event of whatever happens, has the broker decide, performs
/// the effects in order.
///
/// Knows no event loop: `DaemonLoop` wires it to libsystemd's, tests drive it by hand with a clock
/// of their own. One thread; nothing here waits.
package final class Daemon {
  /// What the daemon is made of and cannot change while it runs.
  package struct Surroundings {
    /// Below which roots the kernel's files are read.
    package var files: KernelFiles
    /// Who watches descriptors.
    package var registry: any SourceRegistry
    /// The monotonic and the wall clock.
    package var now: () -> MonotonicInstant
    package var wallMicroseconds: () -> UInt64
    /// Takes log records.
    package var log: (LogRecord) -> Void
    /// Reads the settings files again.
    package var loadSettings: () -> SettingsOutcome
    /// Whether this is a user's instance: its own uid is its administrator.
    package var isUserInstance: Bool
    /// The daemon's own user.
    package var ownUser: UInt32
    /// Where what clients did is kept over a restart; nil for nowhere.
    package var behaviour: BehaviourStore?

    /// Makes the surroundings.
    package init(
      files: KernelFiles,
      registry: any SourceRegistry,
      now: @escaping () -> MonotonicInstant,
      wallMicroseconds: @escaping () -> UInt64,
      log: @escaping (LogRecord) -> Void,
      loadSettings: @escaping () -> SettingsOutcome,
      isUserInstance: Bool,
      ownUser: UInt32,
      behaviour: BehaviourStore? = nil
    ) {
      self.files = files
      self.registry = registry
      self.now = now
      self.wallMicroseconds = wallMicroseconds
      self.log = log
      self.loadSettings = loadSettings
      self.isUserInstance = isUserInstance
      self.ownUser = ownUser
      self.behaviour = behaviour
    }
  }

  let surroundings: Surroundings
  let reader: DomainReader
  let sockets: EpollSet
  let startedAt: MonotonicInstant

  var settings: Settings
  var broker = Broker()
  /// The time of the event that is being handled.
  var now: MonotonicInstant
  /// Events that wait for the one before them to be handled to its end.
  private var pending: [Event] = []
  private var isHandling = false
  /// Takes every event before it is handled.
  package var recorder: Recorder

  var sessions = SessionTable()
  /// Given up for a moment to refuse a connection when there is no other descriptor.
  var spare: EventFD?
  var resumable: ResumeTable
  var nextClient: UInt64 = 1
  var nextToken: UInt64 = 1
  var nextSubscription: UInt64 = 1
  /// Where lines are put together, one after the other.
  var writer = JSONWriter(reserving: 64 << 10)
  /// What the requests of an attempt have in common.
  var orderFrame = OrderFrame()
  /// Where bytes are received.
  var received = [UInt8](repeating: 0, count: 64 << 10)
  /// Where reports and answers are read into, one after the other.
  var report = CacheReport()
  var reply = ShrinkReply()
  /// Sessions that are closed when the batch is done.
  var closing: [Session] = []
  var limits: ProtocolLimits
  /// Which session asked for which round, until the core has answered.
  var triggers: [RequestToken: (session: UInt64, waits: Bool)] = [:]
  /// How many subscriptions each topic has.
  var subscriptionsOf = [Int](repeating: 0, count: Topic.allCases.count)

  var watches: [DomainWatch] = []
  /// The pressure source of the environment, if any; `status` lists it.
  package var hasEnvironmentWatch = false
  /// Whether it was said that rules by executable need a right that the daemon does not have.
  var hasToldDenial = false
  var hostFacts = HostFacts(memoryTotal: .zero, pageSize: Page.size, kernelHighMarks: .zero)
  /// When rounds were opened, on the wall clock: the newest `Defaults.roundsKept`.
  var roundTimes: [(round: RoundID, microseconds: UInt64)] = []
  /// `SwapTotal`, read once at start.
  var swapTotal = ByteCount.zero
  /// Whether the kernel tells stall times.
  var hasPressure = false
  var reportsDropped: UInt64 = 0
  var notificationsDropped: UInt64 = 0
  /// Sessions that the core knows and that are connected.
  var memberCount = 0
  /// Answers to shrink requests since the start.
  package internal(set) var answersTaken: UInt64 = 0
  /// Notices of triggers and of the environment's source.
  var alarms: UInt64 = 0
  /// When the limits above the clients' cgroups were looked at last.
  var relocatedAt: MonotonicInstant
  /// When what the kernel keeps for cgroups was last read.
  var protectionsReadAt: MonotonicInstant
  var nextPoll: MonotonicInstant?
  var nextHousekeeping: MonotonicInstant?
  /// When cgroups that are there but cannot be read are looked at again.
  var nextLook: MonotonicInstant?
  /// Domains of the settings whose cgroup is missing.
  private(set) lazy var absent = AbsentDomains(
    root: surroundings.files.cgroup,
    registry: surroundings.registry
  ) { [unowned self] in absenceNoticed() }
  /// Who writes down what is remembered of programs; nil for nobody.
  let behaviourWriter: BehaviourWriter?
  /// What is remembered of programs, as it was handed over to be written last, when that was, and
  /// whether it was told that it could not be written.
  var remembered = BehaviourTable()
  /// The program of the client that joined last.
  var newestProgram = ""
  var savedBehaviour: [BehaviourTable.Entry] = []
  var behaviourSavedAt: MonotonicInstant
  var hasBehaviourFailed = false
  /// Whether something was noted since.
  var isBehaviourUnsaved = false
  /// Whether everybody was told that the daemon stops.
  package var isStopping = false

  /// Makes a daemon that serves nobody yet.
  ///
  /// - Throws: Where the kernel gives no epoll set.
  package init(
    settings: Settings,
    surroundings: Surroundings,
    recorder: Recorder
  ) throws(SystemError) {
    self.settings = settings
    self.surroundings = surroundings
    self.recorder = recorder
    reader = DomainReader(files: surroundings.files)
    sockets = try EpollSet()
    if let store = surroundings.behaviour {
      behaviourWriter = try BehaviourWriter(store)
    } else {
      behaviourWriter = nil
    }
    limits = Daemon.limits(of: settings)
    resumable = ResumeTable(limit: settings.connections)
    now = surroundings.now()
    startedAt = now
    relocatedAt = now
    protectionsReadAt = now
    behaviourSavedAt = now
    pending.reserveCapacity(4_096)
    closing.reserveCapacity(256)
  }

  /// The first events of the run.
  package func start() {
    now = surroundings.now()
    makeSpare()
    recallBehaviour()
    hostFacts = readHostFacts()
    submit(.configured(settings.configuration))
    submit(.hostKnown(hostFacts))
    recorder.markHead()
  }

  /// Handles one event, and those that its effects bring about, each to its end.
  package func submit(_ event: Event) {
    guard !isHandling else { return pending.append(event) }
    isHandling = true
    take(event)
    var index = 0
    while index < pending.count {
      take(pending[index])
      index += 1
    }
    if index > 0 { pending.removeAll(keepingCapacity: true) }
    isHandling = false
  }

  private func take(_ event: Event) {
    recorder.record(event, at: now)
    // The effects are released before the next event, so that the broker may use their storage
    // again.
    perform(broker.handle(event, at: now))
  }

  /// When the daemon must be called again at the latest; nil while nothing is due.
  package var nextWake: MonotonicInstant? {
    [broker.nextWake, nextHousekeeping, nextPoll, nextLook].compactMap(\.self).min()
  }

  /// To be called at `nextWake`.
  package func wake() {
    now = surroundings.now()
    if let due = broker.nextWake, due <= now { submit(.ticked) }
    if let due = nextPoll, due <= now { pollDomains() }
    if let due = nextHousekeeping, due <= now { keepHouse() }
    if let due = nextLook, due <= now { lookForAbsent() }
    finishBatch()
  }

  /// A notice of `$MEMORY_PRESSURE_WATCH`: the host is at level medium.
  package func pressureWatchFired() {
    now = surroundings.now()
    alarms += 1
    guard let reading = read(.host) else { return }
    submit(.alarmed(.host, .medium, .watch, reading))
    finishBatch()
  }

  /// The limits that clients are told and that are enforced.
  static func limits(of settings: Settings) -> ProtocolLimits {
    var limits = ProtocolLimits()
    limits.connectionsPerUser = settings.connectionsPerUser
    limits.connections = settings.connections
    return limits
  }

  private func readHostFacts() -> HostFacts {
    var facts = HostFacts(memoryTotal: .zero, pageSize: Page.size, kernelHighMarks: .zero)
    let host = read(.host)
    facts.memoryTotal = host?.capacity ?? .zero
    hasPressure = host?.pressure != nil
    do throws(SystemError) {
      swapTotal = try MemInfoReader.sizes(surroundings.files)?.swapTotal ?? .zero
      let marks = try ZoneInfoReader.highMarks(surroundings.files) ?? .zero
      facts.kernelHighMarks = marks + marks
    } catch {
      log(.warning, "the kernel's own watermarks cannot be read", [("reason", error.description)])
    }
    return facts
  }
}

// MARK: - For the process around it

extension Daemon {
  /// Sums, for the service manager's status line.
  package var totals: Totals { broker.totals }
  /// What the service manager's status line tells; made of what is at hand, for it is looked at in
  /// every turn of the loop.
  package var headline: Headline {
    Headline(level: broker.level, clients: memberCount, rounds: broker.lastRound?.number ?? 0)
  }

  /// SIGHUP: reads the settings again; a bad file changes nothing.
  package func reloadBySignal() {
    now = surroundings.now()
    reload(checksOnly: false)
    finishBatch()
  }
}

// MARK: - For measurements

extension Daemon {
  /// Starts a round as `trigger` does, for nobody who waits.
  package func requestRound(_ request: RoundRequest) {
    now = surroundings.now()
    nextToken += 1
    submit(.requested(RequestToken(nextToken), request))
    finishBatch()
  }

  /// Whether a round is open.
  package var hasOpenRound: Bool { broker.rounds(count: 1).first?.isOpen ?? false }
}

/// What the service manager's status line tells.
package struct Headline: Sendable, Equatable {
  /// The level in force.
  package var level: PressureLevel
  /// Connected clients, and rounds since the start.
  package var clients: Int, rounds: UInt64

  /// The line.
  package var text: String { "level \(level.name), \(clients) clients, \(rounds) rounds" }
}
