package import Curl
import Foundation
import Registration

/// What a call that changes nothing shows of the endpoint and the credentials.
package struct OnlineCheck: Hashable, Sendable {
  package enum Result: Sendable {
    case accepted
    /// The endpoint can be reached, but the rate limit is used up.
    case limited
    /// The API does not accept the credentials.
    case refused
    /// No answer, or one that is not the API's.
    case unavailable
  }

  package var result: Result
  /// One sentence for people, without a secret.
  package var message: String
  package var hint: String?

  init(_ result: Result, _ message: String, hint: String? = nil) {
    self.result = result
    self.message = message
    self.hint = hint
  }

  /// There was no reply, or the route to the API cannot be used.
  package init(_ error: CurlError, at endpoint: Endpoint) {
    self.init(
      .unavailable, "\(endpoint) cannot be reached: \(error)",
      hint: "check site or api.url, api.proxy and api.ca_file, and whether this machine may connect to that address")
  }

  init(_ reply: CurlReply, from endpoint: Endpoint, redaction: Redaction) {
    let error = ErrorBody(reply.body, redaction: redaction)
    let detail = error.detail ?? error.title ?? ""
    let answer = "\(endpoint) answered \(reply.status)"
    let said = detail.isEmpty ? answer : "\(answer): \(detail)"
    switch reply.status {
    case 200..<300 where !Self.isList(reply.body):
      self.init(
        .unavailable, "\(answer), but the answer is not the API's",
        hint: "the login page of a network or a proxy may be in the way; check api.url and api.proxy")
    case 200..<300: self.init(.accepted, "\(endpoint) accepts the credentials")
    case 300..<400:
      let location = reply.headers["location"].map { PrintableText.escape(redaction($0), limit: 300) }
      self.init(
        .unavailable, "\(answer), a redirect to \(location ?? "nowhere")",
        hint: "the API never redirects, and keyreg does not follow redirects; check site, api.url and api.proxy")
    case 401 where !error.isTheAPIs, 403 where !error.isTheAPIs:
      self.init(
        .unavailable, "\(said) (not the API's words)",
        hint: "a gateway or proxy may be in the way; check api.url and api.proxy")
    case 401, 403:
      self.init(
        .refused, said,
        hint: """
          check that both keys belong to an organisation of this site and have not been revoked; a key that may register \
          but not read (org_app_keys_read) gets the same answer
          """)
    case 429: self.init(.limited, "\(endpoint) can be reached, but its rate limit is used up at the moment")
    default: self.init(.unavailable, said)
    }
  }

  /// The body is a list of registrations, like the API's: any server can answer 200.
  private static func isList(_ body: [UInt8]) -> Bool {
    struct Document: Decodable {
      struct Resource: Decodable {
        var type: String
      }
      var data: [Resource]
    }
    // Anything that cannot be decoded is not a list.
    let document = try? JSONDecoder().decode(Document.self, from: Data(body))
    return document?.data.allSatisfy { $0.type == Confirmation.type } ?? false
  }
}
