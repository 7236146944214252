import Foundation
import Registration
import Testing

@testable import RegistrationQueue

/// Queues that lack what is always beside them.
struct LostMarkTests {
  /// As `cp queue.sqlite` makes it while the daemon runs: what was in the log is missing, and nothing else shows it.
  @Test func aQueueWithoutItsMarkIsRefusedUnlessItIsMeant() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(5), as: "a")
    try temporary.queue.checkpoint()
    try temporary.add(keys(5, from: 10), as: "b")
    let files = try temporary.copy()
    for file in [files.log, files.mark] { try FileManager.default.removeItem(at: file) }
    try files.expectRefused(.corrupt, "may be an older copy")
    let queue = try RegistrationQueue(path: files.database.path, isOlderMeant: true)
    #expect(queue.tally.total == 5)
    try queue.noteCompared()
    try queue.finish()
    try RegistrationQueue(path: files.database.path).close()
    try FileManager.default.removeItem(at: files.mark)
    try files.expectRefused(.corrupt, "may be an older copy")
  }

  @Test func aQueueThatHasLostItsLogIsRefusedUnlessItIsMeant() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(5), as: "a")
    try temporary.queue.checkpoint()
    try temporary.add(keys(5, from: 10), as: "b")
    try temporary.queue.note(.open)
    let files = try temporary.copy()
    try FileManager.default.removeItem(at: files.log)
    try files.expectRefused(.corrupt, "older copy, or has lost its log")
    let queue = try RegistrationQueue(path: files.database.path, isOlderMeant: true)
    #expect(queue.tally.total == 5)
    try queue.close()
    try RegistrationQueue(path: files.database.path).close()
  }
}
