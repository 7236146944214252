import Registration
import Testing

@testable import ControlAPI

/// The pages for people, as a browser gets them.
@Suite struct PageTests {
  private static let hostile = "<script>alert('1')</script>&\""
  private static let path = "%3Cscript%3Ealert%28%271%27%29%3C%2Fscript%3E%26%22"

  @Test(arguments: ["/", "/lists/" + PageTests.path]) func namesOfListsAreTextAndNotMarkup(_ target: String) throws {
    try withServer { running throws in
      running.backend.add(list: Self.hostile, outcomes(2, state: .pending))
      let page = try running.wire().request("GET", target).body
      #expect(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;"))
      #expect(!page.contains("<script>alert"))
      #expect(target != "/" || page.contains("href=\"/lists/\(Self.path)\""))
    }
  }

  @Test(arguments: ["/", "/lists/a"]) func aPageLoadsOnlyItsOwnScriptAndStyle(_ target: String) throws {
    try withServer { running throws in
      running.backend.add(list: "a", outcomes(2))
      let response = try running.wire().request("GET", target)
      let policy = try #require(response.fields["content-security-policy"])
      #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"))
      #expect(!policy.contains("unsafe"))
      #expect(!response.body.contains("style=") && !response.body.contains("onclick"))
      #expect(
        response.body.split(separator: "<script").dropFirst().allSatisfy { $0.hasPrefix(" src=\"/assets/page.js\"") })
      #expect(!response.body.contains("=\"http"))
    }
  }

  @Test func theGaugeShowsOursOthersAndWhatIsLeft() {
    let now = Timestamp(milliseconds: 1_764_000_000_000)
    var status = StatusDocument(version: "0", pid: 1, startedAt: now, now: now, state: .working)
    status.rateLimit = .init(
      limit: 400, periodSeconds: 3_600, remaining: 31, ours: 300, resetsInSeconds: 120, reserved: 12)
    let limit = StatusPart(status: status).limit
    for (name, value) in [
      ("<i class=\"used\">used by keyreg</i>", "300"), ("<i class=\"theirs\">used by others</i>", "69"), ("left", "31"),
      ("<i class=\"others\">left to others</i>", "12"), ("<i class=\"ours\">left for us</i>", "19"),
      ("resets in", "2 min"),
    ] { #expect(limit.contains("<dt>\(name)</dt><dd>\(value)</dd>"), "\(name)") }
    // An earlier version does not tell ours from others'.
    status.rateLimit.ours = nil
    #expect(StatusPart(status: status).limit.contains("used by others</i></dt><dd>not known</dd>"))
  }

  @Test func aListThatIsNotThereHasAPageThatSaysSo() throws {
    try withServer { running throws in
      let response = try running.wire().request("GET", "/lists/" + Self.path)
      #expect(response.status == 404 && response.fields["content-type"] == "text/html; charset=utf-8")
      #expect(response.body.contains("there is no list named “&lt;script&gt;") && !response.body.contains("<script>"))
      #expect(response.body.contains("<a href=\"/\">All lists</a>"))
    }
  }

  @Test func assetsHaveTheirTypes() throws {
    try withServer { running throws in
      let connection = try running.wire()
      let script = try connection.request("GET", "/assets/page.js")
      #expect(script.fields["content-type"] == "text/javascript; charset=utf-8")
      #expect(!script.body.contains("innerHTML") && !script.body.contains("eval("))
      let style = try connection.request("GET", "/assets/page.css")
      #expect(style.fields["content-type"] == "text/css; charset=utf-8")
      #expect(!style.body.contains("url("))
    }
  }

  @Test func aListsPageGroupsItsFailures() throws {
    try withServer { running throws in
      let failed = (0..<3).map { number in
        Outcome(
          id: id(number), state: .failed, httpStatus: 404, attempts: 1,
          errorTitle: number == 2 ? "other" : "<app key not found>", list: "a")
      }
      running.backend.add(list: "a", failed)
      let page = try running.wire().request("GET", "/lists/a").body
      #expect(
        page.contains("<th scope=\"row\" data-label=\"Keys\">2</th>") && page.contains("&lt;app key not found&gt;"))
      #expect(page.contains("/v1/outcomes?format=csv&amp;list=a"))
    }
  }

  @Test func tenThousandListsMakeNoLongPage() throws {
    try withServer { running throws in
      for number in 0..<10_000 { running.backend.add(list: "list-\(number)", outcomes(1, state: .pending)) }
      let page = try running.wire().request("GET", "/").body
      #expect(page.contains("list-199<") && !page.contains("list-200<"))
      #expect(page.utf8.count < 200_000)
    }
  }
}
