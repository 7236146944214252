package import Registration

/// What a command does with lists.
extension ControlClient {
  /// Changes how a list is processed.
  package func set(_ list: String, _ change: ListTermsChange) throws -> ListDocument {
    var query: [String] = []
    if let priority = change.priority { query.append("priority=\(priority)") }
    switch change.stop {
    case .never: query.append("stop_after=never")
    case .after(let share): query.append("stop_after=\(PercentEncoding.encode("\(share * 100)%"))")
    case nil: break
    }
    return try document(
      "POST", "/v1/lists/\(PercentEncoding.encode(list))/set?\(query.joined(separator: "&"))", bytes: [], timeout: 0)
  }

  /// Submits a whole list and returns the receipt as the daemon wrote it, once its keys are committed.
  package func submit(_ list: [UInt8], name: String? = nil, force: Bool = false) throws -> [UInt8] {
    var query = ["force=\(force)"]
    if let name { query.append("name=\(PercentEncoding.encode(name))") }
    return try exchange("POST", "/v1/lists?\(query.joined(separator: "&"))", body: list, accepting: [201], timeout: 0)
      .body
  }

  /// What submitting a list would do. Changes nothing.
  ///
  /// - Parameter isBrief: Whether to wait only as long as for any short answer.
  package func preview(
    _ list: [UInt8], name: String? = nil, force: Bool = false, isBrief: Bool = false
  ) throws -> PreviewDocument {
    var query = ["dry_run=true", "force=\(force)"]
    if let name { query.append("name=\(PercentEncoding.encode(name))") }
    return try document(
      "POST", "/v1/lists?\(query.joined(separator: "&"))", bytes: list, timeout: isBrief ? nil : 0)
  }
}
