import Foundation
import GRDB
import Testing

@testable import RegistrationQueue

/// SQLite says "malformed" of a page that could not be read, too.
@Suite struct UnreadPageTests {
  private let temporary: TemporaryQueue
  private let unread: UnreadPage

  init() throws {
    temporary = try TemporaryQueue()
    unread = UnreadPage(of: temporary.folder.appending(path: "queue.sqlite").path)
  }

  private func attempts(_ page: UnreadPage, failing: Int, code: ResultCode = .SQLITE_CORRUPT) throws -> Int {
    var attempts = 0
    return try page.tryingAgain {
      attempts += 1
      if attempts <= failing { throw DatabaseError(resultCode: code) }
      return attempts
    }
  }

  @Test func damageThatIsGoneAtTheNextLookWasNone() throws {
    #expect(try attempts(unread, failing: 0) == 1)
    #expect(try attempts(unread, failing: 1) == 2)
  }

  @Test func damageThatIsStillThereIsReal() throws {
    for (failing, code) in [(2, ResultCode.SQLITE_CORRUPT), (1, .SQLITE_FULL)] {
      #expect {
        try attempts(unread, failing: failing, code: code)
      } throws: { error in
        (error as? DatabaseError)?.resultCode == code
      }
    }
  }

  @Test func aFileThatCannotBeReadIsADiskThatFails() throws {
    // A folder opens, and fails to read.
    let folder = UnreadPage(of: temporary.folder.path)
    #expect {
      try attempts(folder, failing: 1)
    } throws: { error in
      (error as? QueueError)?.kind == .disk
    }
  }

  @Test func theQueueIsNotSealedByOneBadRead() throws {
    var reads = 0
    let value = try temporary.queue.read("test") { _ in
      reads += 1
      if reads == 1 { throw DatabaseError(resultCode: .SQLITE_CORRUPT) }
      return reads
    }
    #expect(value == 2 && temporary.queue.fault == nil)
    #expect(throws: QueueError.self) {
      try temporary.queue.read("test") { _ in throw DatabaseError(resultCode: .SQLITE_CORRUPT) }
    }
    #expect(temporary.queue.fault != nil)
  }
}
