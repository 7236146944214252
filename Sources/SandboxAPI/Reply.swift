package import HTTPTypes
import Registration

/// One answer, and what happens to it on its way to the client.
package struct Reply: Equatable, Sendable {
  package enum Delivery: Equatable, Sendable {
    case whole
    /// The head, half of the body, then the end of the connection.
    case half
    /// The connection is closed without an answer.
    case none
    /// The connection is reset (RST).
    case reset
    /// Nothing, while the connection stays open.
    case never
  }

  package var status: Int
  package var fields: HTTPFields = [:]
  package var body = ""
  package var delivery = Delivery.whole
  /// The fault that caused this answer, for the journal.
  package var note: String?

  /// The status that the client can see: 0 when no answer is sent.
  package var visibleStatus: Int {
    switch delivery {
    case .whole, .half: status
    case .none, .reset, .never: 0
    }
  }
}

extension Reply {
  private static let jsonAPI = "application/vnd.api+json"
  private static let json = "application/json"
  private static let html = "text/html; charset=utf-8"

  private init(_ status: Int, _ contentType: String, _ body: String) {
    self.init(status: status, fields: [.contentType: contentType], body: body)
  }

  static func registration(_ id: AppKeyID, status: Int) -> Reply {
    Reply(status, jsonAPI, "{\"data\":\(resource(id))}")
  }

  static func page(_ ids: [AppKeyID], total: Int) -> Reply {
    let data = ids.map(resource).joined(separator: ",")
    return Reply(200, jsonAPI, "{\"data\":[\(data)],\"meta\":{\"total\":\(total),\"total_filtered\":\(total)}}")
  }

  static let unregistered = Reply(status: 204)

  static let unknownKey = Reply(404, jsonAPI, #"{"errors":[{"detail":"app key not found"}]}"#)

  static func invalid(_ detail: String) -> Reply {
    let quoted = detail.replacing("\"", with: "\\\"")
    return Reply(
      400, jsonAPI, "{\"errors\":[{\"status\":\"400\",\"title\":\"Invalid Parameter\",\"detail\":\"\(quoted)\"}]}")
  }

  static func refusal(_ status: Int, _ message: String) -> Reply {
    Reply(status, json, "{\"errors\":[\"\(message)\"]}")
  }

  static func throttled(_ quota: Quota) -> Reply {
    refusal(
      429,
      "Rate limit of \(quota.count) requests in \(quota.periodSeconds) seconds reached. Please try again later.")
  }

  static let edgeThrottled = Reply(
    429, html,
    "<html>\r\n<head><title>429 Too Many Requests</title></head>\r\n<body>\r\n"
      + "<center><h1>429 Too Many Requests</h1></center>\r\n</body>\r\n</html>\r\n")

  static let captivePortal = Reply(
    200, html,
    "<!DOCTYPE html><html><head><title>Sign in to the network</title></head>"
      + "<body><form action=\"/login\"><button>Accept</button></form></body></html>")

  /// What a requested status looks like. A redirect leads back to the sandbox, where the journal shows whether anybody
  /// followed it.
  static func fault(_ status: Int) -> Reply {
    switch status {
    case 300..<400: return Reply(status: status, fields: [.location: "/redirected"])
    case 400: return invalid(#"invalid parameter "appKeyId" in "path"; expected type "uuid""#)
    case 404: return unknownKey
    case 409: return word(409, "Conflict", "the app key is being changed by somebody else")
    case 410: return word(410, "Gone", "the app key was revoked")
    case 422: return word(422, "Unprocessable Entity", "the app key has no Actions API access")
    case 502, 503, 504: return page(status)
    default: return refusal(status, ServerWords.text(status))
    }
  }

  /// A gateway's page: it says nothing about a key, whatever the status.
  static func page(_ status: Int) -> Reply {
    return Reply(
      status, html, "<html><body><h1>\(status) \(ServerWords.text(status))</h1><p>gateway.example</p></body></html>\n")
  }

  private static func word(_ status: Int, _ title: String, _ detail: String) -> Reply {
    Reply(
      status, jsonAPI, "{\"errors\":[{\"status\":\"\(status)\",\"title\":\"\(title)\",\"detail\":\"\(detail)\"}]}")
  }

  private static func resource(_ id: AppKeyID) -> String {
    "{\"id\":\"\(id)\",\"type\":\"app_key_registration\"}"
  }
}
