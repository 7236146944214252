import FoundationEssentials
import Glibc
import Registration
import SandboxAPI
import Testing

/// The sandbox over real connections.
@Suite struct SandboxTests {
  private struct JournalLine: Decodable {
    var time: Timestamp
    var method: String
    var path: String
    var status: Int
    var note: String?
  }

  private static func lines(_ journal: String) throws -> [JournalLine] {
    let text = String(decoding: try Data(contentsOf: URL(filePath: journal)), as: UTF8.self)
    #expect(text.isEmpty || text.hasSuffix("\n"))
    return try text.split(separator: "\n").map { try JSONDecoder().decode(JournalLine.self, from: Data($0.utf8)) }
  }

  @Test func oneConnectionServesManyRequests() throws {
    try withSandbox { sandbox, port throws in
      let connection = try Connection(port: port)
      for number in 0..<200 {
        #expect(try connection.request("PUT", path(UInt64(number)))?.status == 201)
      }
      #expect(sandbox.registeredKeys == (0..<200).map { id($0) })
      #expect(sandbox.requestCount == 200)
    }
  }

  @Test func pipelinedRequestsAreAnsweredInOrder() throws {
    try withSandbox { _, port throws in
      let connection = try Connection(port: port)
      let headers = "Host: h\r\nDD-API-KEY: a\r\nDD-APPLICATION-KEY: b\r\n\r\n"
      try connection.send("PUT \(path(1)) HTTP/1.1\r\n\(headers)GET \(path(2)) HTTP/1.1\r\n\(headers)")
      #expect(try connection.response()?.status == 201)
      #expect(try connection.response()?.status == 404)
    }
  }

  @Test func anAnswerToHeadHasNoBody() throws {
    try withSandbox { _, port throws in
      let connection = try Connection(port: port)
      try connection.send("HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(try connection.response(hasBody: false)?.status == 404)
      #expect(try connection.response()?.body == #"{"errors":["Not found"]}"#)
    }
  }

  @Test func aLostAnswerLeavesTheKeyRegistered() throws {
    try withSandbox(
      "100/1h", { $0.faults = try FaultPlan(parsing: "lost:first=1") },
      body: { sandbox, port throws in
        #expect(try Connection(port: port).request("PUT", path(1)) == nil)
        #expect(sandbox.registeredKeys == [id(1)])
        #expect(try Connection(port: port).request("PUT", path(1))?.status == 201)
      })
  }

  @Test func aResetIsAResetAndNothingIsDone() throws {
    try withSandbox(
      "100/1h", { $0.faults = try FaultPlan(parsing: "reset") },
      body: { sandbox, port throws in
        let connection = try Connection(port: port)
        let failure = #expect(throws: Connection.Failure.self) { try connection.request("PUT", path(1)) }
        #expect(failure?.code == ECONNRESET)
        #expect(sandbox.registeredCount == 0)
      })
  }

  @Test func aTruncatedAnswerStopsHalfWay() throws {
    try withSandbox(
      "100/1h", { $0.faults = try FaultPlan(parsing: "truncated") },
      body: { _, port throws in
        let response = try #require(try Connection(port: port).request("PUT", path(1)))
        #expect(response.status == 201)
        #expect(!response.isWhole)
        #expect(response.body.hasPrefix("{\"data\""))
      })
  }

  @Test func stoppingEndsRequestsThatHangAndConnectionsThatIdle() throws {
    var configuration = SandboxConfiguration(limit: try Quota(parsing: "100/1h"))
    configuration.faults = try FaultPlan(parsing: "hang:key=\(id(1)),slow=1h:key=\(id(2))")
    let sandbox = try Sandbox(configuration)
    let port = try sandbox.start()
    let idle = try Connection(port: port)
    let used = try Connection(port: port)
    #expect(try used.request("PUT", path(3))?.status == 201)
    let hanging = try Connection(port: port)
    try hanging.send("PUT \(path(1)) HTTP/1.1\r\nHost: h\r\nDD-API-KEY: a\r\nDD-APPLICATION-KEY: b\r\n\r\n")
    let slow = try Connection(port: port)
    try slow.send("PUT \(path(2)) HTTP/1.1\r\nHost: h\r\nDD-API-KEY: a\r\nDD-APPLICATION-KEY: b\r\n\r\n")
    let half = try Connection(port: port)
    try half.send("PUT \(path(4)) HTT")
    while sandbox.requestCount < 3 { #expect(try used.request("GET", "/")?.status == 404) }

    let clock = ContinuousClock()
    let taken = clock.measure { sandbox.stop() }
    #expect(taken < .seconds(4))
    for connection in [idle, used, hanging, slow, half] {
      #expect(try connection.response() == nil)
    }
    #expect(throws: Connection.Failure.self) { try Connection(port: port) }
    sandbox.stop()
  }

  @Test func aPortThatIsTakenIsAnError() throws {
    try withSandbox { _, port throws in
      var configuration = SandboxConfiguration(limit: try Quota(parsing: "1/1s"))
      configuration.port = port
      let second = try Sandbox(configuration)
      #expect(throws: (any Error).self) { try second.start() }
      second.stop()
    }
  }

  @Test func malformedRequestsGetABadRequestAndNoMore() throws {
    try withSandbox { sandbox, port throws in
      for text in ["GARBAGE\r\n\r\n", "GET / HTTP/1.1\r\nBad Header\r\n\r\n"] {
        let connection = try Connection(port: port)
        try connection.send(text)
        #expect(try connection.response()?.status == 400)
      }
      #expect(sandbox.requestCount == 0)
      #expect(try Connection(port: port).request("PUT", path(1))?.status == 201)
    }
  }

  @Test func latencyPassesBeforeTheAnswer() throws {
    try withSandbox(
      "100/1h", { $0.latency = .milliseconds(40) },
      body: { _, port throws in
        let connection = try Connection(port: port)
        let taken = try ContinuousClock().measure { _ = try connection.request("PUT", path(1)) }
        #expect(taken >= .milliseconds(40))
      })
  }

  @Test func faultsAndCredentialsCanChangeWhileItRuns() throws {
    try withSandbox { sandbox, port throws in
      let connection = try Connection(port: port)
      sandbox.impose(try FaultPlan(parsing: "503"))
      #expect(try connection.request("PUT", path(1))?.status == 503)
      sandbox.impose(.none)
      sandbox.accept(.init(apiKey: "x", applicationKey: "y"))
      #expect(try connection.request("PUT", path(1))?.status == 403)
      sandbox.accept(nil)
      #expect(try connection.request("PUT", path(1))?.status == 201)
    }
  }

  @Test func theJournalHasOneLineForEveryRequest() throws {
    try withTemporaryFolder { folder in
      let journal = folder + "/journal"
      let odd = "/a\"b\\%22?q=1"
      try withSandbox(
        "3/24h",
        {
          $0.journal = journal
          $0.faults = try FaultPlan(
            parsing:
              "reset:key=\(id(1)),lost:key=\(id(2)),500:key=\(id(3)),slow=1ms:key=\(id(4)),truncated:key=\(id(5))")
        },
        body: { _, port throws in
          #expect(throws: Connection.Failure.self) { try Connection(port: port).request("PUT", path(1)) }
          for number in 2...7 { _ = try Connection(port: port).request("PUT", path(UInt64(number))) }
          _ = try Connection(port: port).request("GET", odd)
        })
      let lines = try Self.lines(journal)
      #expect(lines.map(\.status) == [0, 0, 500, 201, 201, 429, 429, 404])
      #expect(lines.map(\.note) == ["reset", "lost", "500", "slow", "truncated", nil, nil, nil])
      #expect(lines.map(\.path) == (1...7).map { path($0) } + [odd])
      #expect(Set(lines.map(\.method)) == ["PUT", "GET"])
      #expect(lines.map(\.time) == lines.map(\.time).sorted())
    }
  }

  @Test func theJournalIsAppendedTo() throws {
    try withTemporaryFolder { folder in
      for _ in 0..<2 {
        try withSandbox(
          "100/1h", { $0.journal = folder + "/journal" },
          body: { _, port throws in _ = try Connection(port: port).request("PUT", path(1)) })
      }
      #expect(try Self.lines(folder + "/journal").count == 2)
      var configuration = SandboxConfiguration(limit: try Quota(parsing: "1/1s"))
      configuration.journal = folder + "/missing/journal"
      #expect(throws: SystemError.self) { try Sandbox(configuration) }
    }
  }
}
