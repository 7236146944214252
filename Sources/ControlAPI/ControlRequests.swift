package import Registration

/// Which outcomes are asked for.
package struct OutcomeQuery: Equatable, Sendable {
  /// Nil: of all lists.
  package var list: String?
  /// Nil: in every state.
  package var state: KeyState?

  package init(list: String? = nil, state: KeyState? = nil) {
    self.list = list
    self.state = state
  }
}

/// Which lists are asked for, in order of arrival.
package struct ListQuery: Equatable, Sendable {
  /// The most lists in one answer.
  package static let longestPage = 1_000

  /// True: those that have keys to be worked on, or are still being read. False: the others. Nil: all.
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

/// Some outcomes in order of import, and where the next page begins.
package struct OutcomePage: Sendable {
  package var rows: [Outcome]
  /// To be handed to the next call; nil after the last page.
  package var next: Int64?

  package init(rows: [Outcome], next: Int64?) {
    self.rows = rows
    self.next = next
  }
}

/// Which failed keys are to become pending again. What is nil, or empty here, does not narrow the choice.
package struct RetryRequest: Codable, Equatable, Sendable {
  package var list: String?
  /// A part of the error's title or detail.
  package var error: String?
  package var keys: [AppKeyID]

  private enum CodingKeys: String, CodingKey {
    case list, error, keys
  }

  package init(list: String? = nil, error: String? = nil, keys: [AppKeyID] = []) {
    self.list = list
    self.error = error
    self.keys = keys
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    list = try container.decodeIfPresent(String.self, forKey: .list)
    error = try container.decodeIfPresent(String.self, forKey: .error)
    let texts = try container.decodeIfPresent([String].self, forKey: .keys)
    // A script that found nothing to retry does not mean everything.
    if texts?.isEmpty == true {
      throw ControlError(.badRequest, "“keys” is empty: without it all failed keys are meant")
    }
    keys = try (texts ?? []).map { text in
      guard let id = AppKeyID(text) else {
        throw ControlError(.badRequest, "“\(PrintableText.escape(text))” is not a key id (a UUID)")
      }
      return id
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

  package init(cancelled: Int) {
    self.cancelled = cancelled
  }
}

package struct ReloadResult: Codable, Equatable, Sendable {
  package var reloaded: Bool
  /// The settings that have another value now.
  package var changed: [String]
  /// Those of them that are not in force before a restart.
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
    // A daemon of an earlier version does not say it.
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
