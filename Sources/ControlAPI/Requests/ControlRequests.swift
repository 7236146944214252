import Foundation
package import Registration

/// Which outcomes are wanted.
package struct OutcomeQuery: Equatable, Sendable {
  /// Nil: of all lists.
  package var list: String?
  /// Nil: in every state.
  package var state: KeyState?
  /// A part of the error's title or detail, or the status. Nil: with any error or none.
  package var error: String?
  /// Nil: at any time.
  package var since: Timestamp?
  /// The number of an outcome: only those that were recorded after it, and in that order. Nil: in order of import.
  package var after: Int64?
  /// The number of an outcome: only those that were recorded by then. Nil: keys without an outcome, too.
  package var until: Int64?
  /// Maximum outcomes. Nil: all.
  package var limit: Int64?

  package init(
    list: String? = nil, state: KeyState? = nil, error: String? = nil, since: Timestamp? = nil, after: Int64? = nil,
    until: Int64? = nil, limit: Int64? = nil
  ) {
    self.list = list
    self.state = state
    self.error = error
    self.since = since
    self.after = after
    self.until = until
    self.limit = limit
  }
}

extension OutcomeQuery {
  /// For the query of a request: `name=value`, percent-encoded.
  var parameters: [String] {
    let texts = [
      ("list", list), ("state", state?.name), ("error", error), ("since", since?.description),
      ("after", after.map(String.init)), ("until", until.map(String.init)), ("limit", limit.map(String.init)),
    ]
    return texts.compactMap { name, value in value.map { "\(name)=\(PercentEncoding.encode($0))" } }
  }

  /// Reads a time with or without a fraction of a second, in UTC or with an offset: `2026-11-26T11:44:20+01:00`. Nil for
  /// anything else, a day that its month does not have included.
  package static func time(_ text: String) -> Timestamp? {
    guard isDay(text.utf8.prefix(10)) else { return nil }
    let style = Date.ISO8601FormatStyle()
    let date = (try? style.parse(text)) ?? (try? style.time(includingFractionalSeconds: true).parse(text))
    return Timestamp(text) ?? date.map(Timestamp.init)
  }

  /// Whether it is a day such as `2028-02-29`. The parser would take `2027-02-29` for the next day.
  private static func isDay(_ text: some Collection<UInt8>) -> Bool {
    let numbers = String(decoding: text, as: UTF8.self).split(separator: "-", omittingEmptySubsequences: false)
    guard numbers.map(\.utf8.count) == [4, 2, 2], let year = Int(numbers[0]), let month = Int(numbers[1]),
      let day = Int(numbers[2]), (1...12).contains(month)
    else { return false }
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return (1...[31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]).contains(day)
  }
}

/// Which lists are wanted, in order of arrival.
package struct ListQuery: Equatable, Sendable {
  /// Maximum lists in one answer.
  package static let longestPage = 1_000

  /// True: lists with open keys, or still being read. False: the others. Nil: all.
  package var isActive: Bool?
  /// Those after the list of this id.
  package var after: Int64
  /// 1 to `longestPage`.
  package var limit: Int

  package init(isActive: Bool? = nil, after: Int64 = 0, limit: Int = longestPage) {
    self.isActive = isActive
    self.after = after
    self.limit = limit
  }
}

/// Some outcomes, and where the next page begins.
package struct OutcomePage: Sendable {
  package var rows: [Outcome]
  /// For the next call; nil after the last page.
  package var next: Int64?

  package init(rows: [Outcome], next: Int64?) {
    self.rows = rows
    self.next = next
  }
}

/// Which failed keys go back to pending. Members that are nil or empty do not restrict the choice.
package struct RetryRequest: Codable, Equatable, Sendable {
  package var list: String?
  /// A part of the error's title or detail.
  package var error: String?
  package var keys: [AppKeyID]

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case list, error, keys
    /// One key, as in the query.
    case key
  }

  package init(list: String? = nil, error: String? = nil, keys: [AppKeyID] = []) {
    self.list = list
    self.error = error
    self.keys = keys
  }

  package init(from decoder: any Decoder) throws {
    // A misspelt restriction must not mean everything.
    try MemberName.refuseUnknown(in: decoder, known: CodingKeys.allCases.map(\.rawValue))
    let container = try decoder.container(keyedBy: CodingKeys.self)
    list = try container.decodeIfPresent(String.self, forKey: .list)
    error = try container.decodeIfPresent(String.self, forKey: .error)
    let key = try container.decodeIfPresent(String.self, forKey: .key)
    let texts = try container.decodeIfPresent([String].self, forKey: .keys)
    // A script that found nothing to retry does not mean everything.
    if texts?.isEmpty == true {
      throw ControlError(.badRequest, "“keys” is empty; leave it out to retry all failed keys")
    }
    keys = try ((texts ?? []) + [key].compactMap(\.self)).map { text in
      guard let id = AppKeyID(text) else {
        throw ControlError(.badRequest, "“\(PrintableText.escape(text))” is not a key id (a UUID)")
      }
      return id
    }
    try refuseEmpty()
  }

  /// Nor does one whose variable is empty.
  func refuseEmpty() throws(ControlError) {
    for (name, text) in [("list", list), ("error", error)] where text?.isEmpty == true {
      throw ControlError(.badRequest, "“\(name)” is empty; leave it out to retry all failed keys")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeIfPresent(list, forKey: .list)
    try container.encodeIfPresent(error, forKey: .error)
    if !keys.isEmpty { try container.encode(keys.map(\.description), forKey: .keys) }
  }
}

/// The optional body of `POST /v1/pause`.
package struct PauseRequest: Codable, Equatable, Sendable {
  package var reason: String?

  package init(reason: String?) {
    self.reason = reason
  }
}

package struct RetryResult: Codable, Equatable, Sendable {
  package var retried: Int

  package init(retried: Int) {
    self.retried = retried
  }
}

package struct CancelResult: Codable, Equatable, Sendable {
  package var cancelled: Int
  /// Keys that stay open until the reply to their request is known.
  package var inFlight: Int?

  private enum CodingKeys: String, CodingKey {
    case cancelled
    case inFlight = "in_flight"
  }

  package init(cancelled: Int, inFlight: Int? = nil) {
    self.cancelled = cancelled
    self.inFlight = inFlight
  }
}

package struct ReloadResult: Codable, Equatable, Sendable {
  package var reloaded: Bool
  /// The settings whose values changed.
  package var changed: [String]
  /// Those of them that take effect only after a restart.
  package var needsRestart: [String]

  private enum CodingKeys: String, CodingKey {
    case reloaded, changed
    case needsRestart = "needs_restart"
  }

  package init(reloaded: Bool = true, changed: [String], needsRestart: [String] = []) {
    self.reloaded = reloaded
    self.changed = changed
    self.needsRestart = needsRestart
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    reloaded = try container.decode(Bool.self, forKey: .reloaded)
    changed = try container.decode([String].self, forKey: .changed)
    // A daemon of an earlier version does not send it.
    needsRestart = try container.decodeIfPresent([String].self, forKey: .needsRestart) ?? []
  }
}

/// The answer to `GET /healthz`.
package struct HealthDocument: Codable, Equatable, Sendable {
  /// True while the daemon makes progress or waits with a reason.
  package var healthy: Bool
  @ExplicitNull package var reason: String?

  package init(healthy: Bool, reason: String? = nil) {
    self.healthy = healthy
    _reason = ExplicitNull(wrappedValue: reason)
  }
}
