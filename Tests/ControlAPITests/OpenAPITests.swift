import FoundationEssentials
import Registration
import TestSupport
import Testing

/// The interface is as its description says.
@Suite struct OpenAPITests {
  private static let key = "\(id(0))"

  @Test(arguments: [
    ("GET", "/v1/status", "/v1/status", 200), ("GET", "/v1/lists", "/v1/lists?active=true&limit=1", 200),
    ("GET", "/v1/lists", "/v1/lists?limit=0", 400), ("GET", "/v1/lists/{name}", "/v1/lists/a", 200),
    ("GET", "/v1/lists/{name}", "/v1/lists/b", 404), ("POST", "/v1/lists", "/v1/lists?name=%ff", 400),
    ("POST", "/v1/lists/{name}/cancel", "/v1/lists/a/cancel", 409),
    ("GET", "/v1/outcomes", "/v1/outcomes?format=csv", 200), ("GET", "/v1/outcomes", "/v1/outcomes", 200),
    ("GET", "/v1/outcomes", "/v1/outcomes?state=nope", 400), ("GET", "/v1/history", "/v1/history", 200),
    ("GET", "/v1/history", "/v1/history?since=2025-11-24T16:01:00Z", 200),
    ("GET", "/v1/history", "/v1/history?since=monday", 400), ("GET", "/v1/limits", "/v1/limits", 200),
    ("GET", "/v1/keys/{id}", "/v1/keys/\(OpenAPITests.key)", 200), ("GET", "/v1/keys/{id}", "/v1/keys/nope", 400),
    ("POST", "/v1/pause", "/v1/pause?reason=why", 200), ("POST", "/v1/resume", "/v1/resume", 200),
    ("POST", "/v1/retry", "/v1/retry", 200), ("POST", "/v1/retry", "/v1/retry?key=nope", 400),
    ("POST", "/v1/reload", "/v1/reload", 200), ("GET", "/v1/openapi.json", "/v1/openapi.json", 200),
    ("GET", "/healthz", "/healthz", 200), ("GET", "/metrics", "/metrics", 200), ("GET", "/", "/", 200),
    ("GET", "/lists/{name}", "/lists/a", 200), ("GET", "/lists/{name}", "/lists/b", 404),
    ("GET", "/assets/{name}", "/assets/page.js", 200), ("GET", "/assets/{name}", "/assets/page.css", 200),
    ("GET", "/assets/{name}", "/assets/other", 404), ("GET", "/v1/backup", "/v1/backup", 404),
  ])
  func everyAnswerIsAsDescribed(_ method: String, _ path: String, _ target: String, _ status: Int) throws {
    try withServer { running throws in
      running.backend.add(list: "a", outcomes(2, state: .failed))
      let connection = try running.wire()
      let description = try APIDescription(Data(try connection.request("GET", "/v1/openapi.json").body.utf8))
      let response = try connection.request(method, target)
      #expect(response.status == status)
      let flaws = description.flaws(
        method, path, status: response.status, contentType: response.fields["content-type"] ?? "", body: response.body)
      #expect(flaws.isEmpty)
    }
  }

  @Test func everyDescribedOperationExists() throws {
    try withServer { running throws in
      running.backend.add(list: "a", outcomes(2, state: .failed))
      let connection = try running.wire()
      let description = try APIDescription(Data(try connection.request("GET", "/v1/openapi.json").body.utf8))
      #expect(description.operations.count == 23)
      for (method, path) in description.operations where path != "/v1/events" {
        let target = path.replacing("{name}", with: path.hasPrefix("/assets") ? "page.js" : "a")
          .replacing("{id}", with: Self.key)
        // A method that no path takes is told from a path that is not there.
        let refusal = try connection.request("DELETE", target)
        #expect(refusal.status == 405, "\(path)")
        #expect(refusal.fields["allow"]?.contains(method) == true, "\(method) \(path)")
      }
    }
  }

  @Test func anAnswerThatDiffersIsFound() throws {
    try withServer { running throws in
      let connection = try running.wire()
      let description = try APIDescription(Data(try connection.request("GET", "/v1/openapi.json").body.utf8))
      func flaws(_ body: String, status: Int = 200, type: String = "application/json") -> [String] {
        description.flaws("GET", "/healthz", status: status, contentType: type, body: body)
      }
      #expect(flaws(#"{"healthy":true,"reason":null}"#).isEmpty)
      #expect(flaws(#"{"healthy":1,"reason":null}"#).count == 1)
      #expect(flaws(#"{"healthy":true}"#).count == 1)
      #expect(flaws(#"{"healthy":true,"reason":null,"more":1}"#).count == 1)
      #expect(flaws("{}", status: 302).count == 1 && flaws("{}", type: "text/html").count == 1)
    }
  }
}
