import Dispatch
import Registration
import Spool
import Synchronization

/// A list that is written by the control server, but not on its thread.
final class PostedList: Sendable {
  /// What may have happened to a list whose commit was abandoned.
  enum Abandonment {
    case done(ListName)
    /// It has no name and will get none.
    case nothing
    case unknown
  }

  private enum Commit {
    /// The list has no name.
    case open
    /// It is getting one at this moment, or was just refused one.
    case naming
    case done(ListName)
    /// Nobody waits any more, and the list must not get a name.
    case dropped
    /// Nobody waits any more for the name that it may be getting.
    case left(@Sendable (Result<ListName, any Error>) -> Void)
  }

  private struct Dropped: Error {}

  private struct State {
    var commit = Commit.open
    /// Bytes.
    var size = 0
  }

  /// Bytes per second of the slowest disk that is expected.
  private static let slowestDisk = 4_000_000.0

  private let spool: SpoolDirectory
  private let calls: SpoolCalls
  private let serial = DispatchQueue(label: "keyreg.post")
  /// Used on `serial` only: the holder of its lock may wait for the spool.
  private let file = Mutex<NewFile?>(nil)
  private let state = Mutex(State())

  init(spool: SpoolDirectory, calls: SpoolCalls) {
    self.spool = spool
    self.calls = calls
  }

  func write(_ bytes: [UInt8]) async throws {
    state.withLock { $0.size += bytes.count }
    try await calls.run(on: serial) { [self] in
      try file.withLock { slot in
        if slot == nil { slot = try spool.beginPost() }
        try slot?.write(bytes)
      }
    }
  }

  /// Writes the list to disk, still without a name.
  func sync() async throws {
    let seconds = Double(state.withLock { $0.size }) / Self.slowestDisk
    try await calls.run(on: serial, patience: 30 + seconds) { [self] in
      try file.withLock { slot in
        if slot == nil { slot = try spool.beginPost() }
        try slot?.sync()
      }
    }
  }

  /// Reads what was written. A list without a name is gone afterwards.
  func read<Value: Sendable>(_ body: @escaping @Sendable (SpoolFile) throws -> Value) async throws -> Value {
    let seconds = Double(state.withLock { $0.size }) / Self.slowestDisk
    return try await calls.run(on: serial, patience: 30 + 10 * seconds) { [self] in
      let list = try file.withLock { slot in
        if slot == nil { slot = try spool.beginPost() }
        return try slot?.open()
      }
      guard let list else { throw Dropped() }
      return try body(list)
    }
  }

  /// Gives the list its name. Without an answer, the list may have it nevertheless: see `abandon`.
  func commit(
    as name: ListName, force: Bool, terms: ListTerms, isTaken: @escaping @Sendable (ListName) throws -> Bool
  ) async throws -> ListName {
    try await calls.run(on: serial) { [self] in
      let result = Result { try claim(name, force: force, terms: terms, isTaken: isTaken) }
      let late = state.withLock { state -> (@Sendable (Result<ListName, any Error>) -> Void)? in
        if case .left(let late) = state.commit { return late }
        if case .success(let name) = result { state.commit = .done(name) }
        return nil
      }
      late?(result)
      return try result.get()
    }
  }

  private func claim(
    _ name: ListName, force: Bool, terms: ListTerms, isTaken: @escaping @Sendable (ListName) throws -> Bool
  ) throws -> ListName {
    try file.withLock { slot in
      let file = try slot ?? spool.beginPost()
      slot = nil
      return try spool.commitPost(file, as: name, force: force, terms: terms) { candidate in
        if try isTaken(candidate) { return true }
        try state.withLock { state in
          if case .dropped = state.commit { throw Dropped() }
          if case .open = state.commit { state.commit = .naming }
        }
        return false
      }
    }
  }

  /// Nobody waits for the commit any more. If its result is not known yet, `late` gets it.
  func abandon(_ late: @escaping @Sendable (Result<ListName, any Error>) -> Void) -> Abandonment {
    state.withLock { state in
      switch state.commit {
      case .done(let name): return .done(name)
      case .open, .dropped:
        state.commit = .dropped
        return .nothing
      case .naming, .left:
        state.commit = .left(late)
        return .unknown
      }
    }
  }

  /// Removes a list without a name as soon as the spool allows it, not on the thread that releases the list last.
  func discard() {
    serial.async { @Sendable [self] in file.withLock { $0 = nil } }
  }
}
