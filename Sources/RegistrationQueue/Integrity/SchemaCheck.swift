import GRDB

/// Every table and index exists exactly as the migrations create it. There may be others.
enum SchemaCheck {
  static func require(_ database: Database, path: String) throws {
    let wanted = try DatabaseQueue()
    try Schema.migrator.migrate(wanted)
    let present = try stored(in: database)
    for (name, sql) in try wanted.read(stored) where present[name] != sql {
      throw QueueError.corrupt(path: path, "its schema is damaged (\(name))")
    }
  }

  private static func stored(in database: Database) throws -> [String: String] {
    let rows = try Row.fetchCursor(
      database, sql: "SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    var schema: [String: String] = [:]
    while let row = try rows.next() { schema[row[0]] = row[1] }
    return schema
  }
}
