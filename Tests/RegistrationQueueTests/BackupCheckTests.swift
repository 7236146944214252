import Foundation
import Testing

@testable import RegistrationQueue

/// What of a daemon's answer is a backup.
@Suite struct BackupCheckTests {
  private func check(_ bytes: some Collection<UInt8>, piece: Int) throws -> [UInt8] {
    var check = BackupCheck()
    var passed: [UInt8] = []
    var rest = Array(bytes)[...]
    while !rest.isEmpty {
      try Array(rest.prefix(piece)).withUnsafeBytes { try check.take($0) { passed += $0 } }
      rest = rest.dropFirst(piece)
    }
    try check.finish()
    return passed
  }

  @Test func aWholeQueueIsPassedOnAsItIs() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(3), as: "a")
    let path = temporary.folder.appending(path: "copy").path
    try temporary.queue.backup(to: path)
    let backup = Array(try Data(contentsOf: URL(filePath: path)))
    for piece in [33, 100, backup.count] { #expect(try check(backup, piece: piece) == backup) }
    #expect(throws: BackupFault.self) { try check(backup.dropLast(), piece: 4_096) }
    var foreign = backup
    foreign[68] ^= 1
    #expect(throws: BackupFault.self) { try check(foreign, piece: 4_096) }
  }

  @Test(arguments: ["", "hello", String(repeating: "SQLite format 3\0", count: 99)])
  func anythingElseIsNot(text: String) throws {
    #expect(throws: BackupFault.self) { try check(Array(text.utf8), piece: 7) }
  }
}
