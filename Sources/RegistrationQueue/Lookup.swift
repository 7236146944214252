package import Registration

extension RegistrationQueue {
  /// The state of each of `ids`, nil for keys that no list has brought.
  package func states(of ids: [AppKeyID]) throws -> [KeyState?] {
    try read("look up keys") { database in
      let find = try HotStatement("SELECT state FROM key WHERE uuid = ?", in: database)
      return try ids.map { id in
        defer { find.reset() }
        try find.bind(1, id)
        guard try find.next() else { return nil }
        guard let state = KeyState(rawValue: Int(try find.requiredInteger(0))) else {
          throw QueueError.damaged("an unknown state")
        }
        return state
      }
    }
  }
}
