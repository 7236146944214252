import Foundation
import Registration
import RegistrationDaemon
import RegistrationQueue
import Synchronization
import Testing

struct RecorderTests {
  @Test func whatIsToldAsRecordedIsOnDisk() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "keyreg-recorder-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // Nothing is lost when a temporary folder stays behind.
    defer { try? FileManager.default.removeItem(at: folder) }
    let queue = try RegistrationQueue(path: folder.appending(path: "queue.sqlite").path)
    var batch = ImportBatch()
    batch.keys = [AppKeyID(high: 1, low: 1), AppKeyID(high: 2, low: 2)]
    let source = ListSource(
      name: "a", sha256: "a", bytes: 1, modified: 1, format: "text", isForced: false, arrivedAt: .now())
    _ = try queue.beginImport(source, first: batch, isWhole: true)
    let key = try #require(try queue.dueKeys(limit: 1, except: [], horizon: 1_000).first)
    /// Keys that were open on the disk whenever something was told.
    let open = Mutex<[Int?]>([])
    let recorder = Recorder(queue: queue) { @Sendable _ in
      let count = try? queue.dueKeys(limit: 10, except: [], horizon: 1_000).count
      open.withLock { $0.append(count) }
    }
    recorder.record([
      KeyResult(row: key.row, decision: .registered, httpStatus: 201, sentAt: .now(), at: .now())
    ])
    await withCheckedContinuation { continuation in
      recorder.afterwards { @Sendable in continuation.resume() }
    }
    #expect(open.withLock { $0 } == [1])
  }
}
