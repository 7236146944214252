import GRDB

/// The lists that a key is in besides the one that owns it, within one transaction.
///
/// Usually no key is in two lists, and then nothing is looked up.
struct OtherLists {
  private let find: HotStatement?

  init(in database: Database) throws {
    let isEmpty = try Row.fetchOne(try database.cachedStatement(sql: "SELECT 1 FROM also_in LIMIT 1")) == nil
    find = isEmpty ? nil : try HotStatement("SELECT list_id FROM also_in WHERE key_id = ?", in: database)
  }

  func of(_ key: Int64) throws -> [Int64] {
    guard let find else { return [] }
    defer { find.reset() }
    try find.bind(1, key)
    var lists: [Int64] = []
    while try find.next() { lists.append(try find.requiredInteger(0)) }
    return lists
  }
}
