import GRDB

/// A notification that operators have yet to get, in one way.
package struct DueNotification: Sendable, Hashable {
  /// How operators are notified. Each way has its own notifications.
  package enum Way: String, Sendable, CaseIterable {
    case command, url
  }

  package var way: Way
  /// What is sent, unchanged.
  package var text: String

  package init(_ text: String, by way: Way) {
    self.way = way
    self.text = text
  }
}

/// A notification stays in the queue until it is delivered or given up, so that a kill in between loses none. It is
/// written in one transaction with the event, where the event is in the queue too.
extension RegistrationQueue {
  /// Of each way. When more are due, the oldest are dropped.
  package static let mostNotifications = 100

  /// Keeps what is due. Returns how many older ones were dropped for it.
  package func keep(_ notifications: [DueNotification]) throws -> Int {
    guard !notifications.isEmpty else { return 0 }
    return try write("keep notifications") { database, _ in try Self.keep(notifications, in: database) }
  }

  static func keep(_ notifications: [DueNotification], in database: Database) throws -> Int {
    guard !notifications.isEmpty else { return 0 }
    let insert = try database.cachedStatement(sql: "INSERT INTO notification (way, text) VALUES (?, ?)")
    for notification in notifications { try insert.execute(arguments: [notification.way.rawValue, notification.text]) }
    var dropped = 0
    for way in Set(notifications.map(\.way)) {
      try database.execute(
        sql: """
          DELETE FROM notification WHERE way = ?1 AND id <=
            (SELECT id FROM notification WHERE way = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)
          """, arguments: [way.rawValue, mostNotifications])
      dropped += database.changesCount
    }
    return dropped
  }

  /// The oldest that is due, with its number; nil for none.
  ///
  /// - Parameter number: Only one with a higher number.
  package func nextNotification(by way: DueNotification.Way, after number: Int64) throws -> (
    number: Int64, text: String
  )? {
    try read("read the notifications") { database in
      try Row.fetchOne(
        database, sql: "SELECT id, text FROM notification WHERE way = ? AND id > ? ORDER BY id LIMIT 1",
        arguments: [way.rawValue, number]
      ).map { ($0["id"], $0["text"]) }
    }
  }

  /// Those up to this number were delivered, or are given up.
  package func forgetNotifications(by way: DueNotification.Way, upTo number: Int64) throws {
    try write("forget notifications") { database, _ in
      try database.execute(
        sql: "DELETE FROM notification WHERE way = ? AND id <= ?", arguments: [way.rawValue, number])
    }
  }
}
