import ControlAPI
import Registration

/// What submitting a list does, in words: the same for `submit` and `submit --dry-run`.
struct ListSummary {
  private let check: ListCheck
  /// Nil when there is no daemon to ask.
  private let preview: PreviewDocument?
  private let name: String

  init(_ check: ListCheck, _ preview: PreviewDocument?, name: String) {
    self.check = check
    self.preview = preview
    self.name = name
  }

  /// One or two lines.
  var text: String {
    let form = check.format.map { "\($0)" } ?? "text"
    let lines = [name + ": " + ([form] + counts).joined(separator: ", ")] + requests
    return lines.map { PrintableText.escape($0, limit: 500) + "\n" }.joined()
  }

  private var counts: [String] {
    guard let keys = preview?.keys else {
      return [check.keys.counted("key"), check.invalid.counted("bad line"), "no daemon to ask which are known"]
    }
    let registered = keys.registered > 0 ? " (\(keys.registered) of them registered)" : ""
    let repeated = keys.duplicateInList.map { $0 > 0 ? ["\($0) repeated"] : [] } ?? []
    return [keys.new.counted("new key"), "\(keys.known) known\(registered)"] + repeated
      + [keys.invalid.counted("bad line")]
  }

  private var requests: [String] {
    guard let preview else { return [] }
    let requests = preview.requests.counted("request")
    guard let seconds = preview.seconds, let limit = preview.limit else {
      return ["\(requests); how long they take is not known until the API reports its limit"]
    }
    let all = preview.etaSeconds ?? seconds
    let behind =
      all > seconds ? "; about \(DurationText.approximate(seconds: Double(all))) with the keys already waiting" : ""
    let alone = DurationText.approximate(seconds: Double(seconds))
    return ["\(requests), about \(alone) at \(limit) if nobody else uses it\(behind)"]
  }
}
