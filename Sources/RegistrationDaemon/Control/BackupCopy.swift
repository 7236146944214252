import ControlAPI
import Glibc
import Registration
import RegistrationQueue
import Synchronization

/// A copy of the queue on its way to a client: an unlinked file that disappears with its last owner.
final class BackupCopy: Sendable {
  private let descriptor: Int32
  private let offset = Mutex(0)

  private static let pieceSize = 256 * 1024
  /// Beside the queue, where there is as much room as it needs.
  private static let suffix = ".backup.tmp"

  /// Makes and checks the copy; blocks meanwhile. One at a time.
  init(of queue: RegistrationQueue, path: String) throws {
    let path = path + Self.suffix
    // Left behind by a kill.
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
      do throws(SystemFault) {
        let piece = try FileIO.read(descriptor, upTo: Self.pieceSize, at: offset)
        offset += piece.count
        return piece.isEmpty ? nil : piece
      } catch {
        throw ControlError(.failed, "the copy cannot be read: \(error.text)")
      }
    }
  }
}

extension DaemonControl {
  func backup() async throws -> AsyncThrowingStream<[UInt8], any Error> {
    let copy = try await Self.onQueue(queues.backups) { () throws in
      do {
        return try BackupCopy(of: queue, path: queuePath)
      } catch let error as QueueError {
        throw ControlError(error.kind == .disk ? .unavailable : .failed, error.description)
      }
    }
    log.notice("a backup was made")
    return AsyncThrowingStream { try await Self.onQueue(queues.backupPieces) { () throws in try copy.next() } }
  }
}
