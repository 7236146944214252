import GRDB
import Testing

@testable import RegistrationQueue

/// What SQLite says is not always damage or a defect.
@Suite struct QueueCheckTests {
  private static let header = "*** in database main ***\n"

  @Test(arguments: [
    "Page 5: unable to get the page. error code=266",  // the disk
    "Tree 5 page 5: unable to get the page. error code=7",  // memory
    "Page 5: unable to get the page. error code=266\nPage 7: unable to get the page. error code=8458",
  ])
  func aPageThatCannotBeReadIsNoDamage(finding: String) {
    #expect(QueueCheck.isUnread(Self.header + finding))
  }

  @Test(arguments: [
    "Page 5: unable to get the page. error code=11",
    "Page 5: btreeInitPage() returns error code 11",
    "Page 5: unable to get the page. error code=266\nrow 3 missing from index key_by_list",
    "row 3 missing from index key_by_list",
    "",
  ])
  func anythingElseIs(finding: String) {
    #expect(!QueueCheck.isUnread(finding) && !QueueCheck.isUnread(Self.header + finding))
  }

  @Test(arguments: [ResultCode.SQLITE_PROTOCOL, .SQLITE_BUSY, .SQLITE_IOERR, .SQLITE_FULL, .SQLITE_NOMEM])
  func whatTheSystemRefusesIsWaitedFor(code: ResultCode) {
    #expect(QueueError(DatabaseError(resultCode: code), doing: "test").kind == .disk)
  }
}
