// One event on its way to a line: the metadata of the logger, of its provider and of the call in one sorted list.

import Logging
import Registration

/// What one log line says.
struct LogEntry: Sendable {
  struct Field: Sendable {
    var key: String
    var value: String
  }

  var time: Timestamp
  var level: Logger.Level
  var message: String
  /// In order of key, so that the same event always reads the same.
  var fields: [Field]

  init(time: Timestamp, level: Logger.Level, message: String, metadata: Logger.Metadata) {
    self.time = time
    self.level = level
    self.message = message
    fields = metadata.sorted { $0.key < $1.key }.map { Field(key: $0.key, value: $0.value.description) }
  }
}
