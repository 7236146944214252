import HTTPTypes
import Registration
import SandboxAPI
import Testing

@Suite struct StandInTests {
  private static func standIn(
    _ limit: String, faults: String = "", headers: SandboxConfiguration.Headers = .full
  ) throws -> StandIn {
    var configuration = SandboxConfiguration(limit: try Quota(parsing: limit))
    configuration.faults = try FaultPlan(parsing: faults)
    configuration.headers = headers
    return StandIn(configuration, startedAt: at(0))
  }

  @Test func registeringAgainGivesTheSameAnswerAndOneKey() throws {
    var standIn = try Self.standIn("100/10s")
    let first = standIn.ask(.put, path(1), at: at(0))
    let second = standIn.ask(.put, path(1).uppercased().replacing(collection.uppercased(), with: collection), at: at(1))
    #expect(first.status == 201)
    #expect(second.status == 201)
    #expect(first.body == second.body)
    #expect(standIn.keys.count == 1)
  }

  @Test func whatIsUnregisteredIsNotFoundAgain() throws {
    var standIn = try Self.standIn("100/10s")
    _ = standIn.ask(.put, path(1), at: at(0))
    let gone = standIn.ask(.delete, path(1), at: at(0))
    #expect(gone.status == 204)
    #expect(gone.body.isEmpty)
    #expect(standIn.ask(.get, path(1), at: at(0)).status == 404)
    #expect(standIn.ask(.delete, path(1), at: at(0)).status == 404)
  }

  @Test func pagesAreInTheOrderOfRegistrationAndCoverEveryKeyOnce() throws {
    var standIn = try Self.standIn("1000/10s")
    let numbers: [UInt64] = [9, 3, 7, 1, 8, 2, 6]
    for number in numbers { _ = standIn.ask(.put, path(number), at: at(0)) }
    _ = standIn.ask(.delete, path(7), at: at(0))
    _ = standIn.ask(.put, path(9), at: at(0))
    var seen: [String] = []
    for page in 0...3 {
      let reply = standIn.ask(.get, "\(collection)?page%5Bsize%5D=2&page[number]=\(page)", at: at(0))
      #expect(reply.status == 200)
      #expect(reply.body.hasSuffix(#""meta":{"total":6,"total_filtered":6}}"#))
      seen += reply.body.split(separator: "\"").filter { $0.utf8.count == 36 }.map(String.init)
    }
    #expect(seen == [9, 3, 1, 8, 2, 6].map { id($0).description })
  }

  @Test(arguments: ["page[size]=0", "page[size]=x", "page[number]=-1", "page%5bnumber%5d="])
  func aPageThatIsNoNumberIsABadRequest(_ query: String) throws {
    var standIn = try Self.standIn("100/10s")
    let reply = standIn.ask(.get, "\(collection)?\(query)", at: at(0))
    #expect(reply.status == 400)
    #expect(reply.body.contains("expected type \\\"int64\\\""))
  }

  @Test(arguments: ["/", "/api/v2/actions", "\(collection)/", "\(collection)x", "\(collection)/a/b", "/redirected"])
  func anyOtherPathIsNotFoundAndCostsNothing(_ other: String) throws {
    var standIn = try Self.standIn("1/10s")
    #expect(standIn.ask(.put, other, at: at(0)).status == 404)
    #expect(standIn.ask(.put, path(1), at: at(0)).status == 201)
  }

  @Test func aMethodThatTheApiDoesNotHaveIsNotAllowed() throws {
    var standIn = try Self.standIn("1/10s")
    let reply = standIn.ask(.post, path(1), at: at(0))
    #expect(reply.status == 405)
    #expect(reply.field("Allow") == "DELETE, GET, PUT")
    #expect(standIn.ask(.put, collection, at: at(0)).field("Allow") == "GET")
  }

  @Test func answersThatWereMeasuredToCostQuotaDoAndCarryTheHeaders() throws {
    var standIn = try Self.standIn("6/10s", faults: "409:key=\(id(8)),422:key=\(id(9))")
    let asked: [(HTTPRequest.Method, String, Int)] = [
      (.put, path(1), 201), (.get, path(1), 200), (.delete, path(1), 204), (.get, path(1), 404),
      (.put, "\(collection)/nope", 400), (.put, path(8), 409),
    ]
    for (index, (method, path, status)) in asked.enumerated() {
      let reply = standIn.ask(method, path, at: at(2_500))
      #expect(reply.status == status)
      #expect(reply.field("x-ratelimit-limit") == "6")
      #expect(reply.field("x-ratelimit-period") == "10")
      #expect(reply.field("x-ratelimit-remaining") == String(5 - index))
      #expect(reply.field("x-ratelimit-reset") == "8")
      #expect(reply.field("x-ratelimit-name") == "app_key_registrations")
      #expect(reply.field("retry-after") == nil)
    }
    let refused = standIn.ask(.put, path(9), at: at(2_500))
    #expect(refused.status == 429)
    #expect(
      refused.body == #"{"errors":["Rate limit of 6 requests in 10 seconds reached. Please try again later."]}"#)
    #expect(refused.field("x-ratelimit-remaining") == "0")
    #expect(refused.field("x-ratelimit-reset") == "8")
  }

  @Test(arguments: ["403", "401", "500", "502", "503", "302", "captive", "edge429", "page=404"])
  func otherAnswersCostNothingAndCarryNone(_ effect: String) throws {
    var standIn = try Self.standIn("1/10s", faults: "\(effect):key=\(id(1))")
    for _ in 0..<5 {
      let reply = standIn.ask(.put, path(1), at: at(0))
      #expect(reply.field("x-ratelimit-limit") == nil)
      #expect(reply.note == effect)
    }
    #expect(standIn.keys.count == 0)
    #expect(standIn.ask(.put, path(2), at: at(0)).status == 201)
  }

  @Test func besideATokenNoAPIKeyIsAsked() throws {
    var standIn = try Self.standIn("1/10s")
    let reply = standIn.ask(.put, path(1), at: at(0), token: "ddpat_abc")
    #expect(reply.status == 201)
  }

  @Test func missingCredentialsAreForbiddenAndCostNothing() throws {
    var standIn = try Self.standIn("1/10s")
    let reply = standIn.ask(.put, path(1), at: at(0), keys: false)
    #expect(reply.status == 403)
    #expect(reply.body == #"{"errors":["API key required"]}"#)
    #expect(reply.field("x-ratelimit-limit") == nil)
    #expect(standIn.ask(.put, path(1), at: at(0)).status == 201)
  }

  @Test func onlyTheCredentialsThatWereSetAreAccepted() throws {
    var standIn = try Self.standIn("10/10s")
    standIn.credentials = .init(apiKey: "secret", applicationKey: "another")
    #expect(standIn.ask(.put, path(1), at: at(0)).body == #"{"errors":["Forbidden"]}"#)
    standIn.credentials = .init(apiKey: "secret", applicationKey: "secret")
    #expect(standIn.ask(.put, path(1), at: at(0)).status == 201)
  }

  @Test func withoutHeadersARefusalHasNone() throws {
    var standIn = try Self.standIn("1/10s", headers: .none)
    _ = standIn.ask(.put, path(1), at: at(0))
    let refused = standIn.ask(.put, path(2), at: at(0))
    #expect(refused.status == 429)
    #expect(refused.fields.allSatisfy { [.contentType, .date].contains($0.name) })
  }

  @Test func retryAfterComesWithARefusalOnly() throws {
    var standIn = try Self.standIn("1/10s", headers: .retryAfter)
    #expect(standIn.ask(.put, path(1), at: at(3_001)).field("retry-after") == nil)
    let refused = standIn.ask(.put, path(2), at: at(3_001))
    #expect(refused.field("retry-after") == "7")
    #expect(refused.field("x-ratelimit-limit") == nil)
  }

  @Test func dateAndResetMeetAtTheEdgeOfTheWindow() throws {
    var standIn = try Self.standIn("1000000/10s")
    for milliseconds in stride(from: Int64(0), to: 20_000, by: 37) {
      let reply = standIn.ask(.get, path(1), at: at(milliseconds))
      let seconds = try #require(reply.field("Date").flatMap(secondOfDay))
      let reset = try #require(reply.field("X-RateLimit-Reset").flatMap { Int($0) })
      #expect(seconds == Int(milliseconds / 1000))
      #expect((seconds + reset) % 10 == 0)
    }
  }

  @Test func aForeignAnswerNamesAnotherKey() throws {
    var standIn = try Self.standIn("10/10s", faults: "foreign")
    let reply = standIn.ask(.put, path(1), at: at(0))
    #expect(reply.status == 201)
    #expect(!reply.body.contains(id(1).description))
    #expect(standIn.keys.contains(id(1)))
  }

  @Test func aThrottledFaultLooksLikeARefusalAndCostsNothing() throws {
    var standIn = try Self.standIn("1/10s", faults: "429:key=\(id(1))")
    let refused = standIn.ask(.put, path(1), at: at(0))
    #expect(refused.status == 429)
    #expect(refused.field("x-ratelimit-remaining") == "0")
    #expect(standIn.ask(.put, path(2), at: at(0)).status == 201)
  }

  private func secondOfDay(_ date: String) -> Int? {
    let parts = date.split(separator: " ")
    guard parts.count == 6, parts[5] == "GMT" else { return nil }
    return parts[4].split(separator: ":").reduce(0) { $0 * 60 + (Int($1) ?? 0) }
  }
}
