import ControlAPI
import Registration
import RegistrationQueue

/// A notification to operators: one JSON object, on the standard input of `notify.command` and as the body of a POST to
/// `notify.url`.
struct Announcement: Encodable, Equatable, Sendable {
  enum Event: String, Encodable, Sendable {
    case listDone = "list_done"
    case listRejected = "list_rejected"
    case listBlocked = "list_blocked"
    case hold
  }

  var event: Event
  var at: Timestamp
  /// The same as a sentence. Many chat systems show a member of this name.
  var text: String
  /// Left out for the main instance.
  var instance: String?
  var list: String?
  /// Of a list that is done.
  var keys: ListDocument.Keys?
  var results: String?
  var reason: String?
  var hint: String?
  /// When a hold began.
  var since: Timestamp?

  init(_ event: Event, at: Timestamp, text: String) {
    self.event = event
    self.at = at
    self.text = text
  }

  init(done list: ListRecord, at: Timestamp) {
    let keys = list.keys
    let state = list.cancelledAt == nil ? "is done" : "was cancelled"
    var text = "list \(PrintableText.escape(list.name)) \(state): \(keys[.registered]) registered"
    if keys[.failed] > 0 { text += ", \(keys[.failed]) failed" }
    if keys[.cancelled] > 0 { text += ", \(keys[.cancelled]) cancelled" }
    if let stop = list.stop { text += "; \(stop.detail)" }
    self.init(.listDone, at: at, text: text)
    reason = list.stop?.detail
    self.list = list.name
    self.keys = ListDocument.Keys(
      registered: keys[.registered], failed: keys[.failed], cancelled: keys[.cancelled])
    results = "results/\(list.name).csv"
  }

  init(rejected list: RejectedList) {
    let reason = UnreadDocument(list).reason
    self.init(
      .listRejected, at: list.at,
      text: "list \(PrintableText.escape(list.name)) was rejected: \(PrintableText.escape(reason))")
    self.list = list.name
    self.reason = reason
    hint = list.hint
  }

  init(blocked file: UnreadDocument, at: Timestamp) {
    self.init(
      .listBlocked, at: at,
      text: "list \(PrintableText.escape(file.name)) cannot be read: \(PrintableText.escape(file.reason))")
    list = file.name
    reason = file.reason
    hint = file.hint
  }

  init(hold status: StatusDocument) {
    let reason = status.reason ?? status.hold?.rawValue ?? ""
    self.init(.hold, at: status.now, text: "nothing is registered: \(PrintableText.escape(reason, limit: 500))")
    self.reason = reason
    since = status.since
  }
}
