/// The first hundred bytes of a database file, read without SQLite and checked more strictly than SQLite does.
///
/// Offsets and legal values are from <https://www.sqlite.org/fileformat.html#the_database_header>. Only what a queue
/// can have is accepted: no auto-vacuum, UTF-8, schema format 4, write-ahead log.
struct DatabaseHeader: Hashable, Sendable {
  static let size = 100
  /// `keyr`: the `PRAGMA application_id` of a queue.
  static let applicationID: UInt32 = 0x6b65_7972

  let pageSize: Int
  /// Pages that the file should have when the log is empty.
  let pages: Int
  /// Nil in a queue that has not been numbered yet.
  let commit: CommitNumber?
  let applicationID: UInt32

  enum Flaw: Hashable, Sendable {
    /// Not an SQLite database at all.
    case foreign
    /// Another program's database.
    case otherApplication
    /// A field has a value that no queue can have.
    case field(String)
  }

  /// - Parameter bytes: The beginning of the file, `size` bytes or fewer.
  init(_ bytes: [UInt8]) throws(DatabaseHeaderError) {
    func word(_ offset: Int) -> UInt32 { bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) } }
    func require(_ holds: Bool, _ name: String) throws(DatabaseHeaderError) {
      if !holds { throw DatabaseHeaderError(flaw: .field(name)) }
    }
    guard bytes.count == Self.size, bytes.starts(with: Array("SQLite format 3".utf8) + [0]) else {
      throw DatabaseHeaderError(flaw: .foreign)
    }
    let size = Int(bytes[16]) << 8 | Int(bytes[17])
    // 1 means 65,536.
    pageSize = size == 1 ? 65_536 : size
    pages = Int(word(28))
    applicationID = word(68)
    guard applicationID == 0 || applicationID == Self.applicationID else {
      throw DatabaseHeaderError(flaw: .otherApplication)
    }
    commit = CommitNumber(word(60))
    try require(pageSize >= 512 && pageSize & (pageSize - 1) == 0, "page size")
    // 1 and 1 between the creation of the file and the first use of the log.
    try require(bytes[18] == bytes[19] && (1...2).contains(bytes[18]), "file format version")
    try require(bytes[20] == 0, "reserved space")
    try require(bytes[21] == 64 && bytes[22] == 32 && bytes[23] == 32, "payload fractions")
    try require(word(24) == word(92), "change counter")
    try require(pages > 0, "number of pages")
    try require(Int(word(32)) <= pages && Int(word(36)) < pages, "free list")
    try require((word(32) == 0) == (word(36) == 0), "free list")
    // A database without a table has neither.
    try require(word(44) == 4 || word(44) == 0 && pages == 1, "schema format")
    try require(word(52) == 0 && word(64) == 0, "vacuum mode")
    try require(word(56) == 1 || word(56) == 0 && pages == 1, "text encoding")
    try require(bytes[72..<92].allSatisfy { $0 == 0 }, "reserved bytes")
  }
}

struct DatabaseHeaderError: Error, Hashable, Sendable {
  let flaw: DatabaseHeader.Flaw
}
