import Foundation
package import Registration

extension Verdict {
  /// Reads a complete reply to the registration of `id`.
  ///
  /// - Parameter isBodyTruncated: More body came than is kept, so it cannot be the expected one.
  package init(
    status: Int, body: [UInt8], isBodyTruncated: Bool, location: String?, redaction: Redaction = .none,
    registering id: AppKeyID
  ) {
    let error = ErrorBody(body, redaction: redaction)
    let title = error.title ?? StatusPhrase.text(status)
    switch status {
    case 200..<300:
      if [200, 201].contains(status), !isBodyTruncated, Self.confirms(body, id) {
        self = .registered(status: status)
      } else {
        let words = (error.detail ?? error.title).map { ": \($0)" } ?? ""
        self = .unsettled(
          status: status, title: "Unexpected answer",
          detail: "status \(status), but the body does not confirm the key" + words)
      }
    case 300..<400:
      let target = location.map { " to " + PrintableText.escape($0, limit: 100) } ?? ""
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

  /// Statuses by which the API says something of the key.
  private static let ofTheKey: Set = [400, 404, 409, 410, 422]

  /// `{"data":{"id":…,"type":"app_key_registration"}}` with this id, whatever else is in it.
  private static func confirms(_ body: [UInt8], _ id: AppKeyID) -> Bool {
    struct Document: Decodable {
      struct Resource: Decodable {
        var id: String
        var type: String
      }
      var data: Resource
    }
    // A body that does not read is no confirmation, whatever the reason.
    guard let resource = try? JSONDecoder().decode(Document.self, from: Data(body)).data else { return false }
    return resource.type == "app_key_registration" && AppKeyID(resource.id) == id
  }
}
