/// One line of `GET /v1/outcomes`, for a command that shows it.
///
/// It has no key id and no state that are checked: a daemon of a later version may have others, and they are shown as
/// they are.
package struct OutcomeDocument: Decodable, Sendable {
  package var appKeyID: String
  package var state: KeyDocument.State
  /// Of the last reply; nil when there was none.
  package var httpStatus: Int?
  package var attempts: Int
  package var errorTitle: String?
  package var errorDetail: String?
  /// The name of the requested list, or of the list that brought the key.
  package var list: String

  private enum CodingKeys: String, CodingKey {
    case state, attempts, list
    case appKeyID = "app_key_id"
    case httpStatus = "http_status"
    case errorTitle = "error_title"
    case errorDetail = "error_detail"
  }

  package var error: String { [errorTitle, errorDetail].compactMap(\.self).joined(separator: ": ") }
}
