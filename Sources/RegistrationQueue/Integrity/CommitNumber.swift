/// The number of a commit, kept in the database header (`PRAGMA user_version`). It grows with each commit.
///
/// SQLite replays whatever log is beside a database. The number shows that the two belong together, and that a database
/// is not older than an earlier one. It is part of every transaction, so the database file has the number of the last
/// commit that was written back to it, and each commit in the log has the next one. A queue starts with a random
/// number, so that the log of another queue does not fit by chance.
///
/// 32 bits wrap after years of steady work; numbers are compared by their distance, as in TCP.
struct CommitNumber: Hashable, Sendable, CustomStringConvertible {
  let value: UInt32

  /// Nil for 0, the value in a database that has not been numbered yet.
  init?(_ value: UInt32) {
    guard value != 0 else { return nil }
    self.value = value
  }

  private init(unchecked value: UInt32) {
    self.value = value == 0 ? 1 : value
  }

  static func random() -> CommitNumber { CommitNumber(unchecked: .random(in: 0x1000_0000..<0x4000_0000)) }

  var next: CommitNumber { CommitNumber(unchecked: value &+ 1) }

  /// How many commits this one is ahead of `other`; negative when it is behind.
  func distance(from other: CommitNumber) -> Int { Int(Int32(bitPattern: value &- other.value)) }

  /// In SQLite's form, a signed number.
  var userVersion: Int32 { Int32(bitPattern: value) }

  var description: String { String(value) }
}
