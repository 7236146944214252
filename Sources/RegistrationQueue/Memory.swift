import Foundation
import GRDB

/// Small values that outlive a restart, as JSON by name.
extension RegistrationQueue {
  /// Nil when nothing is kept under `name`, or when a value of an older shape no longer reads.
  package func recall<Value: Decodable>(_ type: Value.Type, named name: String) throws -> Value? {
    try read("recall \(name)") { database in
      try String.fetchOne(database, sql: "SELECT value FROM memory WHERE name = ?", arguments: [name])
    }.flatMap { text in
      // What an older version kept in another shape is worth nothing now: it is learned again.
      try? JSONDecoder().decode(type, from: Data(text.utf8))
    }
  }

  /// Keeps `value` under `name`; nil forgets it.
  package func remember<Value: Encodable>(_ value: Value?, named name: String) throws {
    let text = try value.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) }
    try write("remember \(name)") { database, _ in
      if let text {
        try database.execute(
          sql: "INSERT INTO memory (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
          arguments: [name, text])
      } else {
        try database.execute(sql: "DELETE FROM memory WHERE name = ?", arguments: [name])
      }
    }
  }
}
