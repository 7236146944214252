import ControlAPI
import Dispatch
import Glibc
import Registration
import RegistrationQueue
import Synchronization

/// A copy of the queue on its way to a client: a file that has no name any more, and goes with its last owner.
final class BackupCopy: Sendable {
  private let descriptor: Int32
  private let offset = Mutex(0)

  private static let pieceSize = 256 * 1024
  /// Beside the queue, where there is as much room as it needs.
  private static let suffix = ".backup.tmp"

  /// Makes the copy, checked; blocks for as long as that takes. One at a time.
  init(of queue: RegistrationQueue, path: String) throws {
    let path = path + Self.suffix
    // What a kill has left behind.
    unlink(path)
    try queue.backup(to: path)
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    let code = errno
    unlink(path)
    guard descriptor >= 0 else {
      throw ControlError(.failed, "the copy cannot be read: \(String(cString: strerror(code)))")
    }
  }

  deinit {
    close(descriptor)
  }

  /// The next piece, nil at the end.
  func next() throws -> [UInt8]? {
    try offset.withLock { offset in
      var piece = [UInt8](repeating: 0, count: Self.pieceSize)
      let count = pread(descriptor, &piece, piece.count, off_t(offset))
      guard count >= 0 else {
        throw ControlError(.failed, "the copy cannot be read: \(String(cString: strerror(errno)))")
      }
      offset += count
      return count == 0 ? nil : Array(piece.prefix(count))
    }
  }
}

extension DaemonControl {
  /// Copies one after the other: each needs the room of the queue on the disk until it is made.
  private static let backups = DispatchQueue(label: "keyreg.control.backups")
  private static let pieces = DispatchQueue(label: "keyreg.control.backup-pieces")

  func backup() async throws -> AsyncThrowingStream<[UInt8], any Error> {
    let copy = try await Self.onQueue(Self.backups) { () throws in
      do {
        return try BackupCopy(of: daemon.queue, path: daemon.queuePath)
      } catch let error as QueueError {
        throw ControlError(error.kind == .disk ? .unavailable : .failed, error.description)
      }
    }
    daemon.log.notice("a backup was made")
    return AsyncThrowingStream { try await Self.onQueue(Self.pieces) { () throws in try copy.next() } }
  }
}
