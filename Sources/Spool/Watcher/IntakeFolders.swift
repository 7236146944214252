import Synchronization

/// The spool's folders as the watcher sees them: events are noted, the folders are scanned, and the rules decide what
/// is claimed and read. Handles folders that are removed and created again, by watching whatever is there at each scan.
///
/// Only the watcher's queue calls `takeEvents` and `look`, which may hang with the file system; others read `standing`.
final class IntakeFolders: Sendable {
  struct Findings {
    var ready: [ReadyList] = []
    var warnings: [SpoolWarning] = []
    var isStandingNew = false
    /// Lists that are no longer in `rejected/`: removed, or being read again.
    var removed: [ListName] = []
    /// Events were lost: filed lists may have been written to.
    var mayHaveMissedWrites = false
    /// When to scan again at the latest, in seconds from now; nil for the regular time.
    var nextLook: Double?
  }

  private struct State {
    /// Nil while the system allows no events.
    var events: FolderEvents?
    var arrivals: ArrivalRule
    var growth: GrowthRule
    var watches = FolderWatches()
    var removed: [ListName] = []
    var missedWrites = false
    /// What has been warned about, to warn once. It is forgotten when its cause is gone.
    var warned: [FileName: SpoolWarning] = [:]
    /// When an ignored file was first seen.
    var ignoredSince: [FileName: Duration] = [:]
    var isUnavailable = false
    /// When to look into `reading/`. Lists that were there at the start must be read; later ones are reported when they are
    /// claimed, and once more should one stay there.
    var leftoversDue = Duration.zero
  }

  /// The time between looks into `reading/`.
  private static let leftoversInterval = Duration.seconds(60)
  /// Ignored files are not mentioned for this long.
  private static let ignoredAfter = Duration.seconds(60)

  private let spool: SpoolDirectory
  private let isTaken: @Sendable (ListName) throws -> Bool
  private let clock: SpoolClock
  let settle: Duration
  private let state: Mutex<State>
  private let published = Mutex(IntakeStanding())
  private let isStopped = Atomic(false)

  init(
    spool: SpoolDirectory, settle: Duration, clock: SpoolClock = .system,
    isTaken: @escaping @Sendable (ListName) throws -> Bool
  ) {
    self.spool = spool
    self.clock = clock
    self.isTaken = isTaken
    self.settle = settle
    state = Mutex(State(arrivals: ArrivalRule(settle: settle), growth: GrowthRule(settle: settle)))
  }

  /// The result of the last scan. Never waits for the file system.
  var standing: IntakeStanding { published.withLock { $0 } }

  /// From now on a scan finds nothing.
  func stop() {
    isStopped.store(true, ordering: .sequentiallyConsistent)
  }

  /// The list was written to, or may have been: it is read again once it has settled.
  func noteWrite(to name: ListName) {
    state.withLock { $0.growth.suspect(name, at: clock.monotonic()) }
    let grown = state.withLock { $0.growth.names.count }
    published.withLock { $0.grown = grown }
  }

  /// From now on the system reports events. What happened before is not known.
  func use(_ events: FolderEvents) {
    state.withLock { state in
      state.events = events
      state.arrivals.note(.overflow, at: clock.monotonic())
    }
  }

  /// Processes waiting events. Returns when to scan because of them, in seconds from now; nil when there is no need.
  func takeEvents() -> Double? {
    state.withLock { state in
      guard let events = state.events else { return nil }
      let now = clock.monotonic()
      var lookIn: Double?
      // A file that is written in place cannot be complete before that.
      let settle = settle / .seconds(1)
      for notice in events.read(of: state.watches.folders) {
        switch notice {
        case .arrival(.movedIn(let name)):
          state.arrivals.note(.movedIn(name), at: now)
          lookIn = 0
        case .arrival(let event):
          state.arrivals.note(event, at: now)
          lookIn = lookIn ?? settle
        case .permissions(let name):
          if state.warned[name] != nil { lookIn = 0 }
        case .written(let name):
          state.growth.note(ListName(filed: name), at: now)
          lookIn = lookIn ?? settle
        case .removed(let name):
          state.removed.append(ListName(filed: name))
          lookIn = lookIn ?? settle
        case .folderGone(let watch):
          state.watches.forget(watch)
          lookIn = 0
        case .overflow:
          state.arrivals.note(.overflow, at: now)
          state.missedWrites = true
          lookIn = 0
        }
      }
      return lookIn
    }
  }

  /// Scans the folders and claims complete files.
  func look() -> Findings {
    guard !isStopped.load(ordering: .sequentiallyConsistent) else { return Findings() }
    return state.withLock { state in
      var findings = Findings()
      var standing = IntakeStanding()
      do {
        let now = clock.monotonic()
        try watch(&state, &findings, at: now)
        let arrivals = try look(into: spool.folder(.incoming), &state, &standing, &findings, at: now)
        try claim(arrivals.ready, &standing, &findings)
        if now >= state.leftoversDue { try readLeftovers(&state, claimed: findings.ready, at: now) }
        try readStill(&state, &findings, at: now)
        let next = [arrivals.nextLook, state.growth.nextLook].compactMap { $0 }.min()
        findings.nextLook = next.map { ($0 - now) / .seconds(1) }
        findings.mayHaveMissedWrites = state.missedWrites
        state.missedWrites = false
        (findings.removed, state.removed) = (state.removed, [])
        standing.grown = state.growth.names.count
        state.isUnavailable = false
      } catch {
        let fault = error as? SpoolError ?? SpoolError(kind: .system, message: "cannot read the spool: \(error)")
        standing.fault = fault
        if !state.isUnavailable { findings.warnings.append(.unavailable(fault)) }
        state.isUnavailable = true
      }
      warn(of: standing.blocked, &state, &findings)
      findings.isStandingNew = published.withLock { published in
        defer { published = standing }
        return published != standing
      }
      return findings
    }
  }

  private func watch(_ state: inout State, _ findings: inout Findings, at now: Duration) throws(SpoolError) {
    let renewal = try state.watches.renew(spool, by: state.events, at: now)
    if renewal.hasLostArrivals { state.arrivals.note(.overflow, at: now) }
    if renewal.mayHaveMissedWrites { state.missedWrites = true }
    if let refusal = renewal.refusal { findings.warnings.append(.scanningOnly(refusal)) }
  }

  private func look(
    into folder: Folder, _ state: inout State, _ standing: inout IntakeStanding, _ findings: inout Findings,
    at now: Duration
  ) throws(SpoolError) -> ArrivalRule.Decision {
    var files: [ArrivalRule.Observation] = []
    var marks: [FileName] = []
    var ignored: [FileName: Duration] = [:]
    for name in try folder.names() {
      if let reason = name.reasonToIgnore {
        if SpoolDirectory.isMark(name) { marks.append(name) }
        guard !NewFile.isTemporary(name) else { continue }
        let since = state.ignoredSince[name] ?? now
        ignored[name] = since
        if now - since >= Self.ignoredAfter { standing.ignored[name] = reason }
        continue
      }
      guard let status = try folder.status(of: name) else { continue }
      if status.kind != .regular {
        standing.blocked[name] = .notRegular(name, status.kind)
      } else if try folder.mayRead(name) == false {
        standing.blocked[name] = .unreadable(name)
      } else {
        files.append(ArrivalRule.Observation(name: name, status: status))
      }
    }
    state.ignoredSince = ignored
    let decision = state.arrivals.decide(files, at: now, wall: clock.wall())
    if marks.isEmpty { return decision }
    let ready = Set(decision.ready)
    for file in files where ready.contains(file.name) {
      let options = try spool.takeLostOptions(of: file.status, among: marks)
      if !options.isEmpty { findings.warnings.append(.lostOptions(file.name, options)) }
    }
    return decision
  }

  private func claim(
    _ files: [FileName], _ standing: inout IntakeStanding, _ findings: inout Findings
  ) throws {
    guard !files.isEmpty else { return }
    for file in files {
      do {
        guard let name = try spool.claim(file, isTaken: isTaken) else { continue }
        findings.ready.append(ReadyList(place: .reading, name: name, isStill: false))
      } catch let error as SpoolError {
        standing.blocked[file] = .unclaimed(file, error)
      }
    }
    // Lists are processed in the order of their names, whatever numbers they got.
    findings.ready.sort { $0.name.fileName < $1.name.fileName }
    if !findings.ready.isEmpty { try spool.syncClaims() }
  }

  /// Lists that were claimed and are not filed, by an earlier daemon or a minute ago. Reporting one that is being read does
  /// no harm: it is looked at again afterwards.
  private func readLeftovers(_ state: inout State, claimed: [ReadyList], at now: Duration) throws(SpoolError) {
    let claimed = Set(claimed.map(\.name.fileName))
    for name in try spool.lists(in: .reading) where !claimed.contains(name) {
      guard let status = try spool.status(of: name, in: .reading) else { continue }
      state.growth.suspect(ListName(filed: name), at: now - status.age(wall: clock.wall()))
    }
    state.leftoversDue = now + Self.leftoversInterval
  }

  /// Claimed lists that were written to and have settled, wherever they are now. Those that were found are reported even if
  /// it throws: they are no longer waited for.
  private func readStill(_ state: inout State, _ findings: inout Findings, at now: Duration) throws(SpoolError) {
    var still: [ReadyList] = []
    defer { findings.ready += still.sorted { $0.name.fileName < $1.name.fileName } }
    for name in state.growth.names {
      var found: (place: SpoolDirectory.Subfolder, status: FileStatus)?
      for place in [SpoolDirectory.Subfolder.reading, .done, .rejected] where found == nil {
        let status = try spool.status(of: name.fileName, in: place)
        if let status, status.kind == .regular { found = (place, status) }
      }
      guard state.growth.isStill(name, found?.status, at: now), let found else { continue }
      still.append(ReadyList(place: found.place, name: name, isStill: true))
    }
  }

  private func warn(of blocked: [FileName: SpoolWarning], _ state: inout State, _ findings: inout Findings) {
    for (name, warning) in blocked.sorted(by: { $0.key < $1.key }) where state.warned[name] != warning {
      findings.warnings.append(warning)
    }
    state.warned = blocked
  }
}
