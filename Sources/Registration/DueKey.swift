/// A key that is due, as a worker needs it.
package struct DueKey: Sendable, Hashable {
  /// The row, which is also the order of import.
  package var row: Int64
  package var id: AppKeyID
  package var attempts: Int
  /// `pending` or `retrying`; `registered` for a canary.
  package var state: KeyState
  /// The API has said once that it does not know the key: the next attempt is the second look.
  package var isDenied: Bool

  package init(row: Int64, id: AppKeyID, attempts: Int, state: KeyState, isDenied: Bool = false) {
    self.row = row
    self.id = id
    self.attempts = attempts
    self.state = state
    self.isDenied = isDenied
  }
}

/// A key that certain credentials have registered.
package struct RegisteredKey: Sendable, Hashable {
  package var key: DueKey
  package var at: Timestamp

  package init(key: DueKey, at: Timestamp) {
    self.key = key
    self.at = at
  }
}
