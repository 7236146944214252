import Glibc
import Synchronization

/// The spool's folders as the watcher sees them: events are noted, the folders are looked at, and the rules decide what is
/// claimed and read. Survives that a folder is removed and made again, by watching whatever is there at each look.
///
/// Only the watcher's queue calls `takeEvents` and `look`, which may hang with the file system; whoever else asks reads
/// `standing`.
final class IntakeFolders: Sendable {
  struct Findings {
    var ready: [ReadyList] = []
    var warnings: [SpoolWarning] = []
    var isStandingNew = false
    /// Events were lost: lists that were filed may have been written to.
    var mayHaveMissedWrites = false
    /// When to look again at the latest, in seconds from now; nil for the regular time.
    var nextLook: Double?
  }

  private struct State {
    var arrivals: ArrivalRule
    var growth: GrowthRule
    var watches: [SpoolDirectory.Place: (number: Int32, folder: FileStatus.Identity)] = [:]
    var missedWrites = false
    /// What has been warned of, to do so once: it is forgotten when it is gone.
    var warned: [FileName: SpoolWarning] = [:]
    /// When a file that is left alone was first seen.
    var ignoredSince: [FileName: Duration] = [:]
    var isUnavailable = false
    var isScanningOnly = false
    /// Lists in `reading/` that were there at the start are to be read; later ones are told when they are claimed.
    var hasReadLeftovers = false
  }

  /// For so long nothing is said of files that are left alone.
  private static let ignoredAfter = Duration.seconds(60)

  private let spool: SpoolDirectory
  private let isTaken: @Sendable (ListName) throws -> Bool
  let settle: Duration
  /// Nil when the system allows no events.
  private let events: FolderEvents?
  private let state: Mutex<State>
  private let published = Mutex(IntakeStanding())
  private let isStopped = Atomic(false)

  init(
    spool: SpoolDirectory, settle: Duration, events: FolderEvents?,
    isTaken: @escaping @Sendable (ListName) throws -> Bool
  ) {
    self.spool = spool
    self.events = events
    self.isTaken = isTaken
    self.settle = settle
    state = Mutex(State(arrivals: ArrivalRule(settle: settle), growth: GrowthRule(settle: settle)))
  }

  /// As the last look left it. Never waits for the file system.
  var standing: IntakeStanding { published.withLock { $0 } }

  /// From now on a look finds nothing.
  func stop() {
    isStopped.store(true, ordering: .sequentiallyConsistent)
  }

  /// The list was written to, or may have been: it is read again when it is still.
  func noteWrite(to name: ListName) {
    state.withLock { $0.growth.note(name, at: Self.monotonic()) }
  }

  /// Takes note of the events that wait. Returns when to look because of them, in seconds from now; nil for no need.
  func takeEvents() -> Double? {
    guard let events else { return nil }
    return state.withLock { state in
      let now = Self.monotonic()
      var lookIn: Double?
      // What is written in place cannot be whole before that.
      let settle = settle / .seconds(1)
      let places = Dictionary(uniqueKeysWithValues: state.watches.map { ($0.value.number, $0.key) })
      for notice in events.read(of: places) {
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
        case .folderGone(let watch):
          state.watches = state.watches.filter { $0.value.number != watch }
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

  /// Looks into the folders and claims what is whole.
  func look() -> Findings {
    guard !isStopped.load(ordering: .sequentiallyConsistent) else { return Findings() }
    return state.withLock { state in
      var findings = Findings()
      var standing = IntakeStanding()
      do {
        for place in [SpoolDirectory.Place.incoming, .reading, .done, .rejected] {
          try watch(place, &state, &findings)
        }
        let now = Self.monotonic()
        let arrivals = try look(into: spool.folder(.incoming), &state, &standing, at: now)
        try claim(arrivals.ready, &standing, &findings)
        if !state.hasReadLeftovers { try readLeftovers(&state, claimed: findings.ready, at: now) }
        findings.ready += try stillLists(&state, at: now)
        let next = [arrivals.nextLook, state.growth.nextLook].compactMap { $0 }.min()
        findings.nextLook = next.map { ($0 - now) / .seconds(1) }
        findings.mayHaveMissedWrites = state.missedWrites
        state.missedWrites = false
        standing.grown = state.growth.names.count
        state.isUnavailable = false
      } catch {
        let fault = error as? SpoolError ?? SpoolError(kind: .system, message: "cannot look at the spool: \(error)")
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

  private func watch(
    _ place: SpoolDirectory.Place, _ state: inout State, _ findings: inout Findings
  ) throws(SpoolError) {
    guard let events else { return }
    let folder = try spool.folder(place)
    let identity = try folder.status().identity
    if state.watches[place]?.folder == identity { return }
    if let old = state.watches.removeValue(forKey: place) {
      events.unwatch(old.number)
      if place == .incoming { state.arrivals.note(.overflow, at: Self.monotonic()) } else { state.missedWrites = true }
    }
    do throws(SpoolError) {
      state.watches[place] = (try events.watch(folder.path, as: place), identity)
      state.isScanningOnly = false
    } catch {
      if !state.isScanningOnly { findings.warnings.append(.scanningOnly(error)) }
      state.isScanningOnly = true
    }
  }

  private func look(
    into folder: Folder, _ state: inout State, _ standing: inout IntakeStanding, at now: Duration
  ) throws(SpoolError) -> ArrivalRule.Decision {
    var files: [ArrivalRule.Observation] = []
    var ignored: [FileName: Duration] = [:]
    for name in try folder.names() {
      if let reason = name.reasonToIgnore {
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
    return state.arrivals.decide(files, at: now, wall: Self.wall())
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
    // Order of work is the order of names, whatever numbers they got.
    findings.ready.sort { $0.name.fileName < $1.name.fileName }
    if !findings.ready.isEmpty { try spool.syncClaims() }
  }

  /// Lists that an earlier daemon had claimed and not filed.
  private func readLeftovers(_ state: inout State, claimed: [ReadyList], at now: Duration) throws(SpoolError) {
    let claimed = Set(claimed.map(\.name.fileName))
    for name in try spool.lists(in: .reading) where !claimed.contains(name) {
      guard let status = try spool.status(of: name, in: .reading) else { continue }
      state.growth.note(ListName(filed: name), at: now - status.age(wall: Self.wall()))
    }
    state.hasReadLeftovers = true
  }

  /// Claimed lists that were written to and are still again, wherever they lie now.
  private func stillLists(_ state: inout State, at now: Duration) throws(SpoolError) -> [ReadyList] {
    var still: [ReadyList] = []
    for name in state.growth.names {
      var found: (place: SpoolDirectory.Place, status: FileStatus)?
      for place in [SpoolDirectory.Place.reading, .done, .rejected] where found == nil {
        let status = try spool.status(of: name.fileName, in: place)
        if let status, status.kind == .regular { found = (place, status) }
      }
      guard state.growth.isStill(name, found?.status, at: now), let found else { continue }
      still.append(ReadyList(place: found.place, name: name, isStill: true))
    }
    return still.sorted { $0.name.fileName < $1.name.fileName }
  }

  private func warn(of blocked: [FileName: SpoolWarning], _ state: inout State, _ findings: inout Findings) {
    for (name, warning) in blocked.sorted(by: { $0.key < $1.key }) where state.warned[name] != warning {
      findings.warnings.append(warning)
    }
    state.warned = blocked
  }

  private static func monotonic() -> Duration { read(CLOCK_MONOTONIC) }

  private static func wall() -> Int64 {
    let time = read(CLOCK_REALTIME).components
    return time.seconds * 1_000_000_000 + time.attoseconds / 1_000_000_000
  }

  private static func read(_ clock: clockid_t) -> Duration {
    var time = timespec()
    clock_gettime(clock, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
