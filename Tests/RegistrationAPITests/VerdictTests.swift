import Registration
import RegistrationAPI
import Secrets
import Testing

/// What one reply means for its key: every row of the table.
@Suite struct VerdictTests {
  private static let text = "b7feea52-994e-4714-a100-1bd9eff5aee1"

  private func verdict(_ status: Int, _ body: String = "", location: String? = nil, isTruncated: Bool = false) throws
    -> Verdict
  {
    Verdict(
      status: status, body: Array(body.utf8), isBodyTruncated: isTruncated, location: location,
      registering: try #require(AppKeyID(Self.text)))
  }

  private func confirmation(id: String = VerdictTests.text, type: String = "app_key_registration") -> String {
    "{\"data\":{\"id\":\"\(id)\",\"type\":\"\(type)\"}}"
  }

  @Test(arguments: [200, 201]) func aConfirmationOfThisKeyRegistersIt(status: Int) throws {
    #expect(try verdict(status, confirmation()) == .registered(status: status))
    #expect(try verdict(status, confirmation(id: Self.text.uppercased())) == .registered(status: status))
  }

  @Test func aSuccessThatDoesNotConfirmTheKeyIsAnotherAttempt() throws {
    let other = "00000000-0000-0000-0000-000000000000"
    for body in ["", "<html>login</html>", confirmation(id: other), confirmation(type: "x"), "{\"data\":null}", "[]"] {
      guard case .unsettled = try verdict(201, body) else {
        Issue.record("\(body)")
        continue
      }
    }
    guard case .unsettled = try verdict(204, confirmation()),
      case .unsettled = try verdict(201, confirmation(), isTruncated: true)
    else {
      Issue.record("not unsettled")
      return
    }
  }

  @Test(arguments: [400, 404, 409, 410, 422]) func theKeysOwnFailures(status: Int) throws {
    let body = "{\"errors\":[{\"status\":\"\(status)\",\"title\":\"A title\",\"detail\":\"a detail\"}]}"
    #expect(try verdict(status, body) == .failed(status: status, title: "A title", detail: "a detail"))
    let short = try verdict(status, #"{"errors":["app key is not yours"]}"#)
    guard case .failed(status, let title, "app key is not yours") = short else {
      Issue.record("\(short)")
      return
    }
    #expect(!title.isEmpty)
  }

  @Test(arguments: [400, 403, 404, 409, 410, 422]) func whatTheAPIHasNotSaidIsNobodysWordAboutAKey(status: Int) throws {
    for body in [
      "", "{}", "[]", "null", "<html><h1>\(status) app key not found</h1></html>", "app key not found",
      #"{"message":"app key not found"}"#, #"{"error":"app key not found"}"#, #"{"errors":[]}"#, #"{"errors":[""]}"#,
      #"{"errors":null}"#, #"{"errors":[{}]}"#, #"{"errors":[{"status":"\#(status)"}]}"#,
      #"{"errors":["app key not found"]"#, #"{"errors":["<html>403 Forbidden, app key</html>"]}"#,
      #"{"errors":[{"detail":"<h1>app key not found</h1>"}]}"#,
    ] {
      guard case .unsettled(status, let title, _) = try verdict(status, body) else {
        Issue.record("\(body)")
        continue
      }
      #expect(!title.isEmpty)
    }
  }

  @Test(arguments: [
    (404, "Not found"), (404, "404 Not Found"), (404, "not_found"), (404, "404 page not found"),
    (404, "The requested URL was not found on this server."), (404, "Resource not found"), (404, "no such route"),
    (400, "Bad Request"), (400, "invalid request"), (409, "Conflict"), (410, "gone"), (422, "Unprocessable Entity"),
    (422, "Error: unprocessable content"), (400, "Not found"), (409, "Not Found"), (410, "Bad Gateway"),
    (422, "Service Unavailable"), (404, "Forbidden"), (400, "Unauthorized"), (404, "Too Many Requests"),
    (409, "504 Gateway Time-out"), (410, "503 Service Temporarily Unavailable"), (400, "Internal Server Error"),
    (404, "method not allowed"),
  ]) func aRoutersWordSaysNoMoreThanAStatus(status: Int, text: String) throws {
    for body in [#"{"errors":["\#(text)"]}"#, #"{"errors":[{"title":"\#(text)"}]}"#, #"{"errors":"\#(text)"}"#] {
      guard case .unsettled(status, _, _) = try verdict(status, body) else {
        Issue.record("\(body)")
        continue
      }
    }
    // One word of the API's beside it is enough.
    let more = try verdict(status, #"{"errors":[{"title":"\#(text)","detail":"app key not found"}]}"#)
    guard case .failed(status, _, "app key not found") = more else {
      Issue.record("\(more)")
      return
    }
  }

  @Test func aSecretIsTakenOutOfWhatIsKeptHoweverItIsWritten() throws {
    let secret = try Secret("SECRETkey0123".utf8, from: "test")
    let padding = String(repeating: "x", count: 490)
    for body in [
      #"{"errors":[{"title":"SECRETkey0123","detail":"a SECRETkey0123 b"}]}"#,
      #"{"errors":[{"title":"\u0053ECRETkey0123","detail":"\u0053\u0045CRETkey0123"}]}"#,
      #"{"errors":["\u0053ECRETkey0123"]}"#, #"{"message":"\u0053ECRETkey0123"}"#, "<b>SECRET</b>key0123 SECRETkey0123",
      #"{"errors":["\#(padding) \u0053ECRETkey0123"]}"#, #"{"other":{"form":["\u0053ECRETkey0123"]}}"#,
    ] {
      let error = ErrorBody(Array(body.utf8), redaction: Redaction(of: [secret]))
      let shown = (error.title ?? "") + (error.detail ?? "")
      #expect(!shown.contains("SECRETk"), "\(shown)")
      #expect(shown.contains("(redac"), "\(shown)")
    }
  }

  @Test func noSecretIsInTheTargetOfARedirect() throws {
    let target = "https://login.example/?api_key=a-word-of-its-own"
    let pair = Redaction(of: try ["abcdef", "abcdef-and-more"].map { try Secret($0.utf8, from: "test") })
    #expect(pair("x abcdef-and-more y abcdef") == "x (redacted) y (redacted)")
    let redaction = Redaction(of: [try Secret("a-word-of-its-own".utf8, from: "test")])
    let verdict = Verdict(
      status: 302, body: [], isBodyTruncated: false, location: target, redaction: redaction,
      registering: try #require(AppKeyID(Self.text)))
    guard case .misdirected(302, _, let detail?) = verdict else {
      Issue.record("\(verdict)")
      return
    }
    #expect(detail.contains("login.example") && !detail.contains("a-word-of-its-own"))
  }

  @Test func aProxysPasswordIsTakenOutAsItIsWrittenAndAsItIsSent() {
    let redaction = Redaction(of: [], proxies: ["http://agent:pa%2Fss@proxy.example:3128"])
    #expect(redaction("a pa/ss b pa%2Fss c YWdlbnQ6cGEvc3M= d") == "a (redacted) b (redacted) c (redacted) d")
    for proxy in ["http://proxy.example:3128", "proxy.example", "http://agent@proxy.example", "http://a:b@x"] {
      #expect(Redaction(of: [], proxies: [proxy])("a b proxy.example agent") == "a b proxy.example agent")
    }
  }

  @Test func errorBodiesOfOtherFormsAreKeptAsTheyCame() throws {
    for (body, detail) in [
      (#"{"errors":"a string"}"#, "a string"), (#"{"errors":{"detail":"alone"}}"#, "alone"),
      (#"{"errors":{"a":1}}"#, #"{"errors":{"a":1}}"#), (#"{"problem":"else"}"#, #"{"problem":"else"}"#),
      ("[1]", "[1]"),
    ] {
      #expect(ErrorBody(Array(body.utf8)).detail == detail)
    }
  }

  @Test func errorBodiesInEveryFormThatWasSeen() throws {
    #expect(try verdict(403, "{\"errors\":[\"Forbidden\"]}") == .forbidden(title: "Forbidden", detail: "Forbidden"))
    #expect(try verdict(403, "{\"errors\":[{\"title\":\"No\"}]}") == .forbidden(title: "No", detail: nil))
    #expect(
      try verdict(403, "{\"status\":\"error\",\"code\":403,\"errors\":[\"Forbidden\"]}")
        == .forbidden(title: "Forbidden", detail: "Forbidden"))
    #expect(
      try verdict(404, "{\"errors\":[{\"detail\":\"app key not found\"}]}")
        == .failed(status: 404, title: "Not Found", detail: "app key not found"))
    #expect(
      try verdict(502, "<html><body><h1>Bad\u{7} Gateway</h1></body></html>")
        == .unsettled(status: 502, title: "Bad Gateway", detail: "Bad\\u{7} Gateway"))
  }

  @Test func refusedCredentialsAreNoWordAboutTheKeyWhateverIsSaidOfThem() throws {
    let words = "the application key has expired"
    #expect(try verdict(401, "{\"errors\":[\"\(words)\"]}") == .unauthorized(detail: words))
    #expect(
      try verdict(401, "{\"errors\":[{\"title\":\"App key\",\"detail\":\"\(words)\"}]}") == .unauthorized(detail: words)
    )
  }

  @Test func theRest() throws {
    #expect(try verdict(429, "<html>") == .throttled)
    #expect(try verdict(401) == .unauthorized(detail: nil))
    guard case .unsettled(200, _, let words?) = try verdict(200, "<html>Sign in to <b>the network</b></html>") else {
      Issue.record("a portal")
      return
    }
    #expect(words.contains("Sign in to the network"))
    for status in [408, 418, 451, 500, 503, 504, 599] {
      guard case .unsettled(status, _, _) = try verdict(status) else {
        Issue.record("\(status)")
        continue
      }
    }
    for status in [301, 302, 307, 308] {
      guard case .misdirected(status, _, let detail) = try verdict(status, location: "https://evil.example/\u{1b}[2J")
      else {
        Issue.record("\(status)")
        continue
      }
      #expect(detail?.contains("evil.example") == true && detail?.contains("\u{1b}") == false)
    }
  }
}
