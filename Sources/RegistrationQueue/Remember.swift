import Foundation
import GRDB

/// Small values that survive a restart, as JSON by name.
extension RegistrationQueue {
  /// Nil when nothing is stored under `name`, or when a value of an older shape can no longer be read.
  ///
  /// - Parameter ignored: Gets the reason why a stored value cannot be read. That never prevents a start: the value is
  ///   learned again.
  package func recall<Value: Decodable>(
    _ type: Value.Type, named name: String, ignored: (String) -> Void = { _ in }
  ) throws -> Value? {
    let text = try read("recall \(name)") { database in
      // Of any type: a value that was edited by hand may be a number.
      try DatabaseValue.fetchOne(database, sql: "SELECT value FROM memory WHERE name = ?", arguments: [name])
    }
    guard let text else { return nil }
    guard let json = String.fromDatabaseValue(text) else {
      ignored("it is not text")
      return nil
    }
    do {
      return try JSONDecoder().decode(type, from: Data(json.utf8))
    } catch {
      ignored("\(error)")
      return nil
    }
  }

  /// Stores `value` under `name`; nil deletes it.
  package func remember<Value: Encodable>(_ value: Value?, named name: String) throws {
    let text = try value.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    try write("remember \(name)") { database, _ in
      if let text {
        try Self.keep(text: text, named: name, in: database)
      } else {
        try database.execute(sql: "DELETE FROM memory WHERE name = ?", arguments: [name])
      }
    }
  }

  static func keep(_ value: some Encodable, named name: String, in database: Database) throws {
    try keep(text: String(decoding: try JSONEncoder().encode(value), as: UTF8.self), named: name, in: database)
  }

  /// Also nil when the stored value cannot be read.
  static func kept<Value: Decodable>(_ type: Value.Type, named name: String, in database: Database) throws -> Value? {
    guard
      let stored = try DatabaseValue.fetchOne(
        database, sql: "SELECT value FROM memory WHERE name = ?", arguments: [name]),
      let text = String.fromDatabaseValue(stored)
    else { return nil }
    return try? JSONDecoder().decode(type, from: Data(text.utf8))
  }

  static func keep(text: String, named name: String, in database: Database) throws {
    try database.cachedStatement(
      sql: "INSERT INTO memory (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    ).execute(arguments: [name, text])
  }
}
