import ControlAPI
import Dispatch
import Registration
import RegistrationQueue
import Spool
import Synchronization

extension Importer {
  /// Drops a list into the spool as it comes, reads it before all others, and returns the receipt as JSON.
  package func submit(
    name: String?, force: Bool, body: any AsyncSequence<[UInt8], any Error> & Sendable
  ) async throws -> [UInt8] {
    let list: ListName
    do {
      list = try ListName(name ?? "list-\(Timestamp.now().milliseconds).txt")
    } catch {
      throw ControlError(.badRequest, error.message)
    }
    let post = PostedList(spool: spool)
    for try await piece in body { try await post.write(piece) }
    let committed = try await post.commit(as: list, force: force) { [queue] name in
      try queue.hasList(named: name.text)
    }
    return try await withCheckedThrowingContinuation { client in
      // The body came whole, so its last record counts even without a line end.
      take(posted: ReadyList(place: .reading, name: committed, isStill: true), for: client)
    }
  }
}

/// A list that is written from the control server and kept off its thread.
private final class PostedList: Sendable {
  private let spool: SpoolDirectory
  private let serial = DispatchQueue(label: "keyreg.post")
  private let file = Mutex<NewFile?>(nil)

  init(spool: SpoolDirectory) {
    self.spool = spool
  }

  func write(_ bytes: [UInt8]) async throws {
    try await DaemonControl.onQueue(serial) { [self] () throws in
      try file.withLock { slot in
        if slot == nil { slot = try spool.beginPost() }
        try slot?.write(bytes)
      }
    }
  }

  func commit(
    as name: ListName, force: Bool, isTaken: @escaping @Sendable (ListName) throws -> Bool
  ) async throws -> ListName {
    try await DaemonControl.onQueue(serial) { [self] () throws in
      try file.withLock { slot in
        let file = try slot ?? spool.beginPost()
        slot = nil
        return try spool.commitPost(file, as: name, force: force, isTaken: isTaken)
      }
    }
  }
}
