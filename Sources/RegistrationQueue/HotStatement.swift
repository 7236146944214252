import GRDB
import GRDBSQLite
import Registration

/// A cached statement for a loop over many keys, bound and stepped with SQLite's own calls.
///
/// GRDB builds an array of boxed values for each execution and finds columns by name: that was three quarters of the cost
/// of recording a row. Everything else uses GRDB. Use it only inside the transaction that created it.
struct HotStatement {
  private let statement: Statement
  private let handle: OpaquePointer
  private let database: Database

  /// Tells SQLite to copy the bytes: they need not outlive the call.
  private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  init(_ sql: String, in database: Database) throws {
    self.database = database
    statement = try database.cachedStatement(sql: sql)
    handle = statement.sqliteStatement
  }

  // MARK: - Arguments, from 1 on

  func bind(_ index: Int32, _ value: Int64?) throws {
    try check(value.map { sqlite3_bind_int64(handle, index, $0) } ?? sqlite3_bind_null(handle, index))
  }

  func bind(_ index: Int32, _ value: Int?) throws { try bind(index, value.map(Int64.init)) }

  func bind(_ index: Int32, _ value: String?) throws {
    try check(
      value.map { sqlite3_bind_text(handle, index, $0, -1, Self.transient) } ?? sqlite3_bind_null(handle, index))
  }

  func bind(_ index: Int32, _ id: AppKeyID) throws {
    try withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { bytes in
      try check(sqlite3_bind_blob(handle, index, bytes.baseAddress, Int32(bytes.count), Self.transient))
    }
  }

  // MARK: - Execution

  /// Runs a statement that returns no rows.
  func execute() throws {
    defer { sqlite3_reset(handle) }
    try check(sqlite3_step(handle))
  }

  /// Moves to the next row; false at the end. `reset` ends the scan.
  func next() throws -> Bool {
    let code = sqlite3_step(handle)
    try check(code)
    return code == SQLITE_ROW
  }

  func reset() {
    // The code repeats the one of the last step, which was checked.
    sqlite3_reset(handle)
  }

  // MARK: - Columns of the current row, from 0 on

  func integer(_ column: Int32) -> Int64? {
    sqlite3_column_type(handle, column) == SQLITE_NULL ? nil : sqlite3_column_int64(handle, column)
  }

  /// Throws `QueueError` if the value is NULL: anybody may have edited the file.
  func requiredInteger(_ column: Int32) throws -> Int64 {
    guard let value = integer(column) else { throw QueueError.damaged("a row without its number") }
    return value
  }

  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

  func text(_ column: Int32) -> String? {
    sqlite3_column_text(handle, column).map {
      String(
        decoding: UnsafeRawBufferPointer(start: $0, count: Int(sqlite3_column_bytes(handle, column))), as: UTF8.self)
    }
  }

  func keyID(_ column: Int32) -> AppKeyID? {
    guard let bytes = sqlite3_column_blob(handle, column) else { return nil }
    return AppKeyID(bytes: UnsafeRawBufferPointer(start: bytes, count: Int(sqlite3_column_bytes(handle, column))))
  }

  private func check(_ code: Int32) throws {
    guard code != SQLITE_OK, code != SQLITE_DONE, code != SQLITE_ROW else { return }
    throw DatabaseError(
      resultCode: ResultCode(rawValue: code), message: database.lastErrorMessage, sql: statement.sql)
  }
}
