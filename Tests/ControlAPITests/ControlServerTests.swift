import ControlAPI
import Dispatch
import FoundationEssentials
import Registration
import Synchronization
import Testing

/// What is on the wire, for well-behaved clients and for others.
@Suite struct ControlServerTests {
  private struct ErrorDocument: Decodable {
    struct Body: Decodable {
      var code: String
      var message: String
    }
    var error: Body
  }

  private static func code(_ response: WireConnection.Response) throws -> String {
    #expect(response.fields["content-type"] == "application/json")
    return try JSONDecoder().decode(ErrorDocument.self, from: Data(response.body.utf8)).error.code
  }

  @Test(arguments: [
    ("GET", "/v2/status", 404, "not_found"), ("GET", "/v1", 404, "not_found"), ("GET", "/v1/lists/", 404, "not_found"),
    ("GET", "//v1/status", 404, "not_found"), ("GET", "/v1/status/", 404, "not_found"),
    ("GET", "/v1/lists/a/b/c", 404, "not_found"), ("POST", "/v1/nothing", 404, "not_found"),
    ("GET", "/v1/lists/nope", 404, "not_found"), ("GET", "/v1/lists/%zz", 400, "bad_request"),
    ("GET", "/v1/lists/%ff", 400, "bad_request"), ("GET", "/v1/lists/a%00b", 400, "bad_request"),
    ("GET", "/v1/lists/%", 400, "bad_request"), ("GET", "/v1/lists/%+1", 400, "bad_request"),
    ("GET", "/v1/keys/nope", 400, "bad_request"), ("GET", "/v1/outcomes?state=nope", 400, "bad_request"),
    ("GET", "/v1/outcomes?format=xml", 400, "bad_request"), ("GET", "/v1/outcomes?colour=red", 400, "bad_request"),
    ("GET", "/v1/outcomes?since=monday", 400, "bad_request"),
    ("GET", "/v1/outcomes?since=2027-02-29T00:00:00Z", 400, "bad_request"),
    ("POST", "/v1/retry?list=", 400, "bad_request"), ("POST", "/v1/retry?error=", 400, "bad_request"),
    ("GET", "/v1/outcomes?limit=0", 400, "bad_request"),
    ("GET", "/v1/outcomes?list=a&list=b", 400, "bad_request"), ("GET", "/v1/outcomes?list=nope", 404, "not_found"),
    ("POST", "/v1/lists?force=perhaps", 400, "bad_request"), ("POST", "/v1/retry?key=nope", 400, "bad_request"),
    ("POST", "/v1/status", 405, "method_not_allowed"), ("GET", "/v1/pause", 405, "method_not_allowed"),
    ("DELETE", "/v1/lists", 405, "method_not_allowed"), ("PUT", "/v1/lists/a", 405, "method_not_allowed"),
    ("HEAD", "/v1/events", 405, ""), ("HEAD", "/v1/outcomes", 405, ""),
    ("GET", "/v1/status?colour=red", 400, "bad_request"), ("GET", "/v1/lists/a?x=1", 400, "bad_request"),
    ("GET", "/metrics?x", 400, "bad_request"), ("GET", "/healthz?x=1", 400, "bad_request"),
    ("GET", "/?x=1", 400, "bad_request"), ("GET", "/v1/events?x=1", 400, "bad_request"),
    ("POST", "/v1/resume?x=1", 400, "bad_request"), ("POST", "/v1/reload?x=1", 400, "bad_request"),
    ("POST", "/v1/lists/a/cancel?x=1", 400, "bad_request"),
    ("GET", "/v1/lists/a/cancel", 405, "method_not_allowed"), ("POST", "/v1/lists/a/cancel", 404, "not_found"),
  ])
  func whatCannotBeAnsweredIsAnErrorDocument(_ method: String, _ target: String, _ status: Int, _ code: String) throws {
    try withServer { running throws in
      let connection = try running.wire()
      let response = try connection.request(method, target)
      #expect(response.status == status)
      if method != "HEAD" { #expect(try Self.code(response) == code) }
      #expect((response.fields["allow"] != nil) == (status == 405))
      // The connection still works.
      #expect(try connection.request("GET", "/v1/status").status == 200)
    }
  }

  @Test func aWordThatIsNotKnownIsAnsweredWithThoseThatAre() throws {
    try withServer { running throws in
      let connection = try running.wire()
      let state = try connection.request("GET", "/v1/outcomes?state=%1b[31m").body
      #expect(state.contains("pending, retrying, registered, failed, cancelled"))
      #expect(!state.contains("\u{1b}"))
      #expect(try connection.request("GET", "/v1/outcomes?format=xml").body.contains("jsonl, csv"))
      #expect(try connection.request("DELETE", "/v1/lists").fields["allow"] == "GET, HEAD, POST")
    }
  }

  @Test(arguments: ["/", "/v1/status", "/v1/lists", "/metrics", "/healthz", "/v1/lists/nope"])
  func headIsTheHeadOfGet(_ target: String) throws {
    try withServer { running throws in
      let connection = try running.wire()
      let head = try connection.request("HEAD", target)
      #expect(head.status == (target.hasSuffix("nope") ? 404 : 200))
      // No byte of a body follows: the next thing on the connection is the next answer.
      let next = try connection.request("GET", "/v1/status")
      #expect(next.status == 200)
      #expect(next.body.hasPrefix("{"))
      let get = try connection.request("GET", target)
      #expect(get.fields["content-type"] == head.fields["content-type"])
      #expect(get.fields["content-length"] == head.fields["content-length"])
    }
  }

  @Test func contentTypesAreThoseOfTheFormats() throws {
    try withServer { running throws in
      let connection = try running.wire()
      for (target, type) in [
        ("/v1/status", "application/json"), ("/v1/outcomes", "application/jsonl"),
        ("/v1/outcomes?format=csv", "text/csv; charset=utf-8"), ("/", "text/html; charset=utf-8"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
      ] {
        let response = try connection.request("GET", target)
        #expect(response.fields["content-type"] == type)
        #expect(response.fields["cache-control"] == "no-store")
        #expect(response.fields["date"]?.hasSuffix(" GMT") == true)
        #expect(response.fields["x-content-type-options"] == "nosniff")
      }
    }
  }

  @Test func anUnhealthyDaemonIs503WithItsReason() throws {
    try withServer { running throws in
      running.backend.set(healthy: false)
      let response = try running.wire().request("GET", "/healthz")
      #expect(response.status == 503)
      #expect(response.body == "{\"healthy\":false,\"reason\":\"stuck\"}\n")
    }
  }

  @Test func commandsMayComeByQueryOrByBody() throws {
    try withServer { running throws in
      running.backend.add(list: "a", outcomes(4, state: .failed))
      let connection = try running.wire()
      #expect(try connection.request("POST", "/v1/pause?reason=by%20query").body.contains("\"reason\":\"by query\""))
      #expect(
        try connection.request("POST", "/v1/pause", body: "{\"reason\":\"by body\"}").body.contains("\"by body\""))
      #expect(try connection.request("POST", "/v1/retry?key=\(id(0))").body == "{\"retried\":1}\n")
      #expect(
        try connection.request("POST", "/v1/retry", body: "{\"list\":\"a\",\"keys\":[\"\(id(1))\"]}").body
          == "{\"retried\":1}\n")
      #expect(
        try connection.request("POST", "/v1/retry", body: "{\"key\":\"\(id(2))\"}").body == "{\"retried\":1}\n")
      #expect(try connection.request("POST", "/v1/retry").body == "{\"retried\":1}\n")
      #expect(try connection.request("POST", "/v1/resume", body: "{}").status == 200)
      #expect(try connection.request("POST", "/v1/reload", body: "anything").status == 200)
      // Misspelt, it would mean every failed key.
      let misspelt = try connection.request("POST", "/v1/retry", body: "{\"lists\":\"a\"}")
      #expect(misspelt.status == 400 && misspelt.body.contains("“lists”; known are list, error, keys, key"))
      for body in ["[]", "{", "{\"keys\":[\"nope\"]}", "{\"key\":\"nope\"}", "{\"keys\":3}", "{\"keys\":[]}", "\u{0}"] {
        let response = try connection.request("POST", "/v1/retry", body: body)
        #expect(response.status == 400)
        #expect(try Self.code(response) == "bad_request")
      }
    }
  }

  // MARK: - Ill-mannered clients

  @Test(arguments: [
    "GARBAGE\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nNo Colon\r\n\r\n", "\u{16}\u{3}\u{1}\r\n\r\n",
    "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
  ])
  func malformedHTTPIsABadRequestAndTheEndOfTheConnection(_ text: String) throws {
    try withServer { running throws in
      let connection = try running.wire()
      try connection.send(text)
      let response = try #require(try connection.response())
      #expect(response.status == 400)
      #expect(try Self.code(response) == "bad_request")
      #expect(response.fields["connection"] == "close" && response.fields["cache-control"] == "no-store")
      #expect(try connection.response() == nil)
      #expect(try running.client.status().pid == 4242)
    }
  }

  @Test(arguments: ["zz\r\n", "-1\r\n", "fffffffffffffffff\r\n"], ["/v1/pause", "/v1/lists?name=chunks"])
  func aMalformedBodyIsABadRequest(_ chunk: String, _ target: String) throws {
    try withServer { running throws in
      let connection = try running.wire()
      try connection.send("POST \(target) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
      try connection.send("3\r\nabc\r\n\(chunk)")
      let response = try #require(try connection.response())
      #expect(response.status == 400)
      #expect(try Self.code(response) == "bad_request")
      #expect(try connection.response() == nil)
      #expect(running.backend.body(of: "chunks") == nil)
    }
  }

  @Test func headersBeyondTheLimitAreABadRequest() throws {
    try withServer { running throws in
      for header in [String(repeating: "x", count: 20_000), String(repeating: "y\r\nX: ", count: 4_000)] {
        let connection = try running.wire()
        do {
          try connection.send("GET /v1/status HTTP/1.1\r\nHost: h\r\nX: \(header)\r\n\r\n")
          #expect(try connection.response()?.status == 400)
        } catch is WireConnection.Failure {
          // Closed before everything was read.
        }
      }
      #expect(try running.client.status().pid == 4242)
    }
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() throws {
    try withServer { running throws in
      let connection = try running.wire()
      try connection.send(
        "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\nGET /v1/keys/nope HTTP/1.1\r\nHost: h\r\n\r\n"
          + "POST /v1/pause HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}GET /v1/status HTTP/1.1\r\nHost: h\r\n\r\n"
      )
      #expect(try connection.response()?.status == 200)
      #expect(try connection.response()?.status == 400)
      #expect(try connection.response()?.body.contains("paused") == true)
      #expect(try connection.response()?.body.contains("paused") == true)
    }
  }

  @Test func silentAndHalfRequestsHoldUpNobodyAndAreLetGo() throws {
    try withServer(
      { $0.idle = .milliseconds(200) },
      body: { running throws in
        let silent = try running.wire()
        let half = try running.wire()
        try half.send("GET /v1/status HT")
        let halfBody = try running.wire()
        try halfBody.send("POST /v1/lists?name=half HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
        #expect(try running.client.status().pid == 4242)
        for connection in [silent, half, halfBody] {
          #expect(try connection.response()?.status != 200)
        }
        eventually("the half list is given up") { running.backend.interrupted == 1 }
        #expect(running.backend.body(of: "half") == nil)
      })
  }

  @Test(
    arguments: ["Content-Length: 100\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"], [true, false])
  func anUploadThatIsCutOffIsNeverTakenForAWholeOne(_ rest: String, _ staysToRead: Bool) throws {
    try withServer { running throws in
      do {
        let connection = try running.wire()
        try connection.send("POST /v1/lists?name=cut HTTP/1.1\r\nHost: h\r\n\(rest)")
        if staysToRead {
          connection.endSending()
          #expect(try connection.response()?.status != 201)
        }
      }
      eventually("the upload is given up") { running.backend.interrupted == 1 }
      #expect(running.backend.body(of: "cut") == nil)
      #expect(try running.client.status().pid == 4242)
    }
  }

  @Test func anUploadInChunksIsTakenWhole() throws {
    try withServer { running throws in
      let connection = try running.wire()
      try connection.send("POST /v1/lists?name=c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
      try connection.send("3\r\nabc\r\n")
      try connection.send("4\r\ndefg\r\n0\r\n\r\n")
      #expect(try connection.response()?.status == 201)
      #expect(running.backend.body(of: "c") == Array("abcdefg".utf8))
    }
  }

  @Test func aLargeBodyThatNobodyWantsIsRefusedAndNotReadForEver() throws {
    try withServer(
      { $0.listLimit = { 1000 } },
      body: { running throws in
        let announced = try running.wire()
        try announced.send("POST /v1/lists HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000000\r\n\r\nabc")
        let response = try announced.response()
        #expect(response?.status == 413)
        #expect(response?.fields["connection"] == "close")
        #expect(try announced.response() == nil)

        let chunked = try running.wire()
        try chunked.send("POST /v1/lists HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        try chunked.send("7d0\r\n\(String(repeating: "x", count: 2000))\r\n")
        #expect(try chunked.response()?.status == 413)
        #expect(try chunked.response() == nil)
      })
  }

  @Test func aClientThatAsksFirstIsToldToGoOn() throws {
    try withServer { running throws in
      let connection = try running.wire()
      try connection.send(
        "POST /v1/lists?name=e HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
      #expect(try connection.response()?.status == 100)
      try connection.send("abc")
      #expect(try connection.response()?.status == 201)
    }
  }

  // MARK: - Over TCP

  @Test func overTCPOnlyReadingIsServed() throws {
    try withServer(
      { $0.listen = try LoopbackAddress(parsing: "127.0.0.1:0") },
      body: { running throws in
        let port = try #require(running.port)
        let connection = try WireConnection(port: port)
        for target in ["/", "/v1/status", "/v1/lists", "/v1/outcomes", "/metrics", "/healthz"] {
          #expect(try connection.request("GET", target, host: "127.0.0.1:\(port)").status == 200)
        }
        #expect(try connection.request("HEAD", "/v1/status").status == 200)
        for target in ["/v1/pause", "/v1/lists?name=a", "/v1/lists/a/cancel", "/v1/reload", "/v1/status", "/nothing"] {
          let response = try connection.request("POST", target)
          #expect(response.status == 405)
          #expect(response.fields["allow"] == "GET, HEAD")
        }
        #expect(try running.client.status().state == .idle)
      })
  }

  @Test func aForeignHostIsTurnedAway() throws {
    try withServer(
      { $0.listen = try LoopbackAddress(parsing: "localhost:0") },
      body: { running throws in
        let connection = try WireConnection(port: try #require(running.port))
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:9464", "[::1]", "[::1]:9464"] {
          #expect(try connection.request("GET", "/v1/status", host: host).status == 200, "\(host)")
        }
        for host in [
          "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", "evil.example:127.0.0.1",
          "localhost:", "localhost:x", "::1", "[::1", "",
        ] {
          #expect(try connection.request("GET", "/v1/status", host: host).status == 421, "\(host)")
        }
        try connection.send("GET /v1/status HTTP/1.1\r\n\r\n")
        #expect(try connection.response()?.status == 421)
      })
  }

  @Test(arguments: [("127.0.0.1:9464", "127.0.0.1:9464"), ("[::1]:0", "[::1]:0"), ("localhost:80", "127.0.0.1:80")])
  func aLoopbackAddressIsRead(_ text: String, _ meaning: String) throws {
    #expect(try LoopbackAddress(parsing: text).description == meaning)
  }

  @Test(arguments: [
    "0.0.0.0:80", "192.168.0.1:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "127.1:80", "::1:80",
    "127.0.0.01:80", "example.com:80", "127.0.0.256:80", ":80", "", "[::]:80", "127.0.0.1.evil.example:80",
  ])
  func anyOtherAddressIsRefusedWithAHint(_ text: String) {
    let error = #expect(throws: ControlServerError.self) { try LoopbackAddress(parsing: text) }
    #expect(error?.hint?.contains("127.0.0.1:PORT") == true)
  }

  @Test func aPortThatIsTakenIsAnErrorAndLeavesNoSocketBehind() throws {
    try withServer(
      { $0.listen = try LoopbackAddress(parsing: "127.0.0.1:0") },
      body: { running throws in
        var configuration = ControlServer.Configuration(socketPath: running.socket + "2")
        configuration.listen = try LoopbackAddress(parsing: "127.0.0.1:\(running.port ?? 0)")
        let second = try ControlServer(configuration, backend: MemoryBackend(), logger: silent)
        let error = #expect(throws: ControlServerError.self) { try second.start() }
        #expect(error?.isInUse == true)
        #expect(!FileManager.default.fileExists(atPath: configuration.socketPath))
      })
  }

  /// NIO ends the process if it finds a connection that was accepted and never handled.
  @Test func aServerIsStoppedWhileClientsConnect() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/control.sock"
      let isOver = Mutex(false)
      let clients = DispatchGroup()
      for number in 0..<4 {
        DispatchQueue(label: "client \(number)").async(group: clients) { @Sendable in
          // Most of the time, nobody listens.
          while !isOver.withLock({ $0 }) { _ = try? WireConnection(socket: path) }
        }
      }
      for _ in 0..<100 {
        let server = try ControlServer(
          ControlServer.Configuration(socketPath: path), backend: MemoryBackend(), logger: silent)
        try server.start()
        server.stop()
      }
      isOver.withLock { $0 = true }
      clients.wait()
    }
  }
}
