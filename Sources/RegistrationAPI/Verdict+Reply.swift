package import Registration

extension Verdict {
  /// Reads a complete reply to the registration of `id`.
  ///
  /// - Parameters:
  ///   - isBodyTruncated: The body is longer than the part that is kept, so it cannot be the expected one.
  ///   - redaction: Applied to all that is kept of the body and of `location`.
  package init(
    status: Int, body: [UInt8], isBodyTruncated: Bool, location: String?, redaction: Redaction = .none,
    registering id: AppKeyID
  ) {
    if status == 200 || status == 201, !isBodyTruncated, Confirmation.confirms(body, id) {
      self = .registered(status: status)
      return
    }
    let error = ErrorBody(body, redaction: redaction)
    let title = error.title ?? StatusPhrase.text(status)
    switch status {
    case 200..<300:
      let words = (error.detail ?? error.title).map { ": \($0)" } ?? ""
      self = .unsettled(
        status: status, title: "Unexpected answer",
        detail: "status \(status), but the body does not confirm the key" + words)
    case 300..<400:
      let target = location.map { " to " + PrintableText.escape(redaction($0), limit: 100) } ?? ""
      self = .misdirected(
        status: status, title: "Redirected", detail: "status \(status)\(target): redirects are never followed")
    case _ where Self.ofTheKey.contains(status) && error.isWord(on: status):
      self = .failed(status: status, title: title, detail: error.detail)
    case 401: self = .unauthorized(detail: error.detail ?? error.title)
    case 403 where error.isWord(on: status): self = .forbidden(title: title, detail: error.detail)
    case 429: self = .throttled
    default: self = .unsettled(status: status, title: title, detail: error.detail)
    }
  }

  /// Statuses by which the API says something about the key.
  private static let ofTheKey: Set = [400, 404, 409, 410, 422]
}
