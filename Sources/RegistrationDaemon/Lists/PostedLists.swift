import ControlAPI
import Dispatch
import Logging
import Registration
import RegistrationQueue
import Spool
import Synchronization

/// Lists that come over the control socket. They are written to the spool as they come and read before all others.
///
/// While the spool hangs a client gets its answer all the same, and in words what it has to know: that nothing was taken,
/// that the list is in the spool, or, when the spool hangs at the very moment in which the list gets its name, that it may
/// turn out to be. Such a list is read once it is there.
struct PostedLists: Sendable {
  let importer: Importer
  let calls: SpoolCalls
  let log: Logger

  /// Returns the receipt as JSON.
  func submit(
    name: String?, force: Bool, body: any AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> [UInt8] {
    let name = try name.map(Self.listName) ?? Self.listName("list-\(Timestamp.now().milliseconds).txt")
    let post = PostedList(spool: importer.spool, calls: calls)
    defer { post.discard() }
    do {
      for try await piece in body { try await post.write(piece) }
      try await post.sync()
    } catch let error as SpoolError where error.kind == .unanswered {
      throw Self.explained(error, Self.nothing)
    }
    let committed = try await commit(post, as: name, force: force)
    do {
      // What waits for the receipt is the spool's business only while that hangs: others may be read before it.
      return try await calls.wait(patience: .infinity) { answer in
        // The body came whole, so its last record counts even without a line end.
        importer.take(posted: ReadyList(place: .reading, name: committed, isStill: true), answer: answer)
      }
    } catch let error as SpoolError where error.kind == .unanswered {
      throw Self.explained(error, "the list is in it as \(committed), and is read once it answers")
    }
  }

  private func commit(_ post: PostedList, as name: ListName, force: Bool) async throws -> ListName {
    do {
      return try await post.commit(as: name, force: force) { [queue = importer.queue] name in
        try queue.hasList(named: name.text)
      }
    } catch let error as SpoolError where error.kind == .unanswered {
      switch post.abandon({ [self] result in tell(late: result, name) }) {
      case .done(let name): return name
      case .nothing: throw Self.explained(error, Self.nothing)
      case .unknown:
        throw Self.explained(
          error, "whether the list \(name) was taken is not known: it may yet be, once the spool answers",
          hint: "see with keyreg lists before you send it again; keys that come twice are registered once")
      }
    }
  }

  /// How a commit ended that nobody waited for any more.
  private func tell(late result: Result<ListName, any Error>, _ name: ListName) {
    switch result {
    case .success(let name):
      log.notice(
        "a posted list came into the spool after its client was told that it might", metadata: ["list": "\(name)"])
      importer.take([ReadyList(place: .reading, name: name, isStill: true)])
    case .failure(let error):
      log.warning(
        "a posted list was not taken; its client was told that it might be",
        metadata: ["list": "\(name)", "detail": "\(error)"])
    }
  }

  private static let nothing = "nothing of the list was taken"

  private static func listName(_ text: String) throws -> ListName {
    do {
      return try ListName(text)
    } catch {
      throw ControlError(.badRequest, error.message)
    }
  }

  private static func explained(_ error: SpoolError, _ what: String, hint: String? = nil) -> ControlError {
    ControlError(.unavailable, "\(error.message); \(what)", hint: hint ?? error.hint)
  }
}

/// A list that is written from the control server and kept off its thread.
private final class PostedList: Sendable {
  /// What may have become of a list whose commit was not waited for.
  enum Abandonment {
    case done(ListName)
    /// It has no name and gets none.
    case nothing
    case unknown
  }

  private enum Commit {
    /// The list has no name.
    case open
    /// It is getting one at this moment, or has just been refused one.
    case naming
    case done(ListName)
    /// Nobody waits any more, and the list is not to get a name.
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

  /// Bytes a second that the slowest of disks is expected to take.
  private static let slowestDisk = 4_000_000.0

  private let spool: SpoolDirectory
  private let calls: SpoolCalls
  private let serial = DispatchQueue(label: "keyreg.post")
  /// Used on `serial` only: whoever holds its lock may wait for the spool.
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

  /// Brings the list to the disk, still without a name.
  func sync() async throws {
    let seconds = Double(state.withLock { $0.size }) / Self.slowestDisk
    try await calls.run(on: serial, patience: 30 + seconds) { [self] in
      try file.withLock { slot in
        if slot == nil { slot = try spool.beginPost() }
        try slot?.sync()
      }
    }
  }

  /// Gives the list its name. When that is not answered the list may have it all the same: see `abandon`.
  func commit(
    as name: ListName, force: Bool, isTaken: @escaping @Sendable (ListName) throws -> Bool
  ) async throws -> ListName {
    try await calls.run(on: serial) { [self] in
      let result = Result { try claim(name, force: force, isTaken: isTaken) }
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
    _ name: ListName, force: Bool, isTaken: @escaping @Sendable (ListName) throws -> Bool
  ) throws -> ListName {
    try file.withLock { slot in
      let file = try slot ?? spool.beginPost()
      slot = nil
      return try spool.commitPost(file, as: name, force: force) { candidate in
        if try isTaken(candidate) { return true }
        try state.withLock { state in
          if case .dropped = state.commit { throw Dropped() }
          if case .open = state.commit { state.commit = .naming }
        }
        return false
      }
    }
  }

  /// Nobody waits for the commit any more. Where its end is not known yet, `late` is told it.
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

  /// Removes what has no name, whenever the spool lets that happen: not on the thread of whoever lets go of the list last.
  func discard() {
    serial.async { @Sendable [self] in file.withLock { $0 = nil } }
  }
}
