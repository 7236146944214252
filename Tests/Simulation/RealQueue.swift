// The daemon's real queue in a separate folder, on the simulation's clock.

import Foundation
import RateLimit
import Registration
import RegistrationQueue
import Synchronization

final class RealQueue: Sendable {
  /// How its process ends.
  enum End {
    /// In good order.
    case stop
    /// At any moment: only what the files held then is left.
    case kill
  }

  private struct State {
    var queue: RegistrationQueue?
    var folder: URL
  }

  private let clock = Mutex(ClockReading(boot: "simulated", sinceBoot: 0, wall: Timestamp(milliseconds: 0)))
  private let state: Mutex<State>

  init() {
    state = Mutex(State(folder: Self.newFolder()))
  }

  deinit {
    // A temporary folder that stays behind does no harm.
    state.withLock { state in try? FileManager.default.removeItem(at: state.folder) }
  }

  /// In memory if possible: a simulated kill is not a power cut.
  private static func newFolder() -> URL {
    let memory = URL(filePath: "/dev/shm")
    let parent =
      FileManager.default.isWritableFile(atPath: memory.path) ? memory : FileManager.default.temporaryDirectory
    return parent.appending(path: "keyreg-simulation-\(UUID().uuidString)")
  }

  func setClock(now: Seconds, wall: Timestamp) {
    clock.withLock { clock in
      clock.sinceBoot = ModelQueue.clock(now)
      clock.wall = wall
    }
  }

  /// The queue, opened if need be.
  func open() throws -> RegistrationQueue {
    try state.withLock { state in
      if let queue = state.queue { return queue }
      try FileManager.default.createDirectory(at: state.folder, withIntermediateDirectories: true)
      let queue = try RegistrationQueue(path: state.folder.appending(path: "queue.sqlite").path) { [weak self] in
        self?.clock.withLock { $0 } ?? .now()
      }
      state.queue = queue
      return queue
    }
  }

  /// Ends its process; the next use reopens it.
  func end(_ end: End) throws {
    try state.withLock { state in
      guard let queue = state.queue else { return }
      switch end {
      case .stop: try queue.finish()
      case .kill:
        // Closing would write the log back, so the files are copied first.
        let copy = Self.newFolder()
        try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: state.folder.path) where !name.hasSuffix("-shm")
        {
          try FileManager.default.copyItem(at: state.folder.appending(path: name), to: copy.appending(path: name))
        }
        try queue.finish()
        try FileManager.default.removeItem(at: state.folder)
        state.folder = copy
      }
      state.queue = nil
    }
  }

  // MARK: - Same as the model

  /// Entries in a batch: few, so that short lists have several.
  private static let batchSize = 7

  /// - Parameter ids: New keys first.
  func add(_ ids: [AppKeyID], as name: String, isForced: Bool, terms: ListTerms, at wall: Timestamp) throws {
    let queue = try open()
    let source = ListSource(
      name: name, sha256: name, bytes: 1, modified: 1, format: "text", isForced: isForced, arrivedAt: wall,
      terms: terms)
    var rest = ids[...]
    var list: Int64?
    repeat {
      var batch = ImportBatch()
      batch.keys = Array(rest.prefix(Self.batchSize))
      rest = rest.dropFirst(Self.batchSize)
      if let list {
        try queue.importBatch(batch, into: list, of: source, isLast: rest.isEmpty)
      } else {
        list = try queue.beginImport(source, first: batch, isWhole: rest.isEmpty).id
      }
    } while !rest.isEmpty
  }
}
