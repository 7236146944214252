package import FoundationEssentials
package import KeyList
package import Registration

/// The result of reading a list, as `done/NAME.receipt.json` and the control socket show it.
package struct Receipt: Hashable, Sendable {
  /// The entries of the list, counted by kind.
  package struct Keys: Hashable, Sendable, Codable {
    /// Keys that came with this list.
    package var accepted: Int
    /// Keys that an earlier list brought.
    package var alreadyKnown: Int
    /// Repetitions within the list.
    package var duplicateInList: Int
    /// Bad lines.
    package var invalid: Int

    package init(accepted: Int = 0, alreadyKnown: Int = 0, duplicateInList: Int = 0, invalid: Int = 0) {
      self.accepted = accepted
      self.alreadyKnown = alreadyKnown
      self.duplicateInList = duplicateInList
      self.invalid = invalid
    }

    private enum CodingKeys: String, CodingKey {
      case accepted
      case alreadyKnown = "already_known"
      case duplicateInList = "duplicate_in_list"
      case invalid
    }
  }

  /// The rest of the list was cancelled, because too many of its keys had failed.
  package struct Stop: Hashable, Sendable {
    package var at: Timestamp
    package var reason: String

    package init(at: Timestamp, reason: String) {
      self.at = at
      self.reason = reason
    }
  }

  /// Bad lines that are listed; further ones are only counted.
  package static let invalidLimit = 1000

  package var list: String
  /// The list's number in the queue.
  package var id: Int64
  /// Of the list's bytes, in lower-case hexadecimal.
  package var sha256: String
  package var bytes: Int64
  package var importedAt: Timestamp
  package var keys: Keys
  /// The first bad lines, at most `invalidLimit`.
  package private(set) var invalid: [InvalidLine]
  /// True when there were more bad lines than are listed.
  package private(set) var invalidTruncated: Bool
  /// The name of the list whose bytes were the same.
  package var duplicateOf: String?
  /// How many of the known keys were put back to pending, because they had failed or been cancelled or the list is
  /// forced. Nil when not counted.
  package var requeued: Int?
  /// `text`, `csv` or `json`.
  package var format: String?
  /// The column of a CSV list that was read.
  package var column: String?
  /// The last record had no line end.
  package var isUnterminated: Bool
  /// How the list is processed.
  package var terms = ListTerms()
  package var stop: Stop?

  package init(
    list: String, id: Int64, sha256: String, bytes: Int64, importedAt: Timestamp, keys: Keys,
    invalid: [InvalidLine] = [], duplicateOf: String? = nil, requeued: Int? = nil, format: String? = nil,
    column: String? = nil, isUnterminated: Bool = false
  ) {
    self.list = list
    self.id = id
    self.sha256 = sha256
    self.bytes = bytes
    self.importedAt = importedAt
    self.keys = keys
    self.invalid = Array(invalid.prefix(Self.invalidLimit))
    invalidTruncated = max(keys.invalid, invalid.count) > self.invalid.count
    self.duplicateOf = duplicateOf
    self.requeued = requeued
    self.format = format
    self.column = column
    self.isUnterminated = isUnterminated
  }

  /// The document, ending in a line feed.
  package func json() throws -> Data { try Self.document(self) }

  static func document(_ content: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var document = try encoder.encode(content)
    document.append(UInt8(ascii: "\n"))
    return document
  }
}

extension Receipt: Encodable {
  enum CodingKeys: String, CodingKey {
    case list, id, sha256, bytes
    case importedAt = "imported_at"
    case keys, invalid
    case invalidTruncated = "invalid_truncated"
    case duplicateOf = "duplicate_of"
    case requeued, format, column, priority
    case stopAfter = "stop_after"
    case isUnterminated = "unterminated"
    case stoppedAt = "stopped_at"
    case stoppedBecause = "stopped_because"
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(list, forKey: .list)
    try container.encode(id, forKey: .id)
    try container.encode(sha256, forKey: .sha256)
    try container.encode(bytes, forKey: .bytes)
    try container.encode(importedAt, forKey: .importedAt)
    try container.encode(keys, forKey: .keys)
    try container.encode(invalid, forKey: .invalid)
    try container.encode(invalidTruncated, forKey: .invalidTruncated)
    // Written even when null: the member is part of the contract.
    try container.encode(duplicateOf, forKey: .duplicateOf)
    try container.encodeIfPresent(requeued, forKey: .requeued)
    try container.encode(isUnterminated, forKey: .isUnterminated)
    try container.encode(format, forKey: .format)
    try container.encode(column, forKey: .column)
    try container.encode(terms.priority, forKey: .priority)
    try container.encode(terms.stopAfter, forKey: .stopAfter)
    try container.encodeIfPresent(stop?.at, forKey: .stoppedAt)
    try container.encodeIfPresent(stop?.reason, forKey: .stoppedBecause)
  }
}
