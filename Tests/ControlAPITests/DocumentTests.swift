import ControlAPI
import FoundationEssentials
import Registration
import Testing

@Suite struct DocumentTests {
  private static func json(_ document: some Encodable) throws -> String {
    String(decoding: try DocumentCoding.encode(document), as: UTF8.self)
  }

  @Test func anUnknownValueIsWrittenAsNull() throws {
    let moment = Timestamp(milliseconds: 1_764_000_000_000)
    let status = StatusDocument(version: "0.1.0", pid: 1, startedAt: moment, now: moment, state: .idle)
    let text = try Self.json(status)
    #expect(
      text == """
        {"endpoint":"","hold":null,"instance":null,\
        "keys":{"cancelled":0,"failed":0,"in_flight":0,"pending":0,"registered":0,"retrying":0,"total":0},\
        "last_error":null,"last_success_at":null,\
        "lists":{"active":0,"blocked":0,"finishing":0,"incoming":0,"rejected":0,"total":0,"unreadable":0},"now":"2025-11-24T16:00:00.000Z","pid":1,\
        "progress":{"done":0,"eta_from":null,"eta_seconds":null,"fraction":0,"per_second":0},\
        "rate_limit":{"limit":null,"name":null,"ours":null,"period_seconds":null,"refusals":null,"remaining":null,\
        "reserved":null,"resets_in_seconds":null,"source":null,"waiting_seconds":null},"reason":null,\
        "requests":{"client_errors":0,"created":0,"latency_ms":{"max":null,"p50":null,"p90":null,"p99":null},\
        "sent":0,"server_errors":0,"throttled":0,"transport_errors":0},"since":"2025-11-24T16:00:00.000Z",\
        "spool":null,"started_at":"2025-11-24T16:00:00.000Z","state":"idle","version":"0.1.0","workers":{"busy":0,"total":0}}
        """)
  }

  @Test func aStatusWithEverythingComesBackAsItWas() throws {
    let moment = Timestamp(milliseconds: 1_764_000_000_000)
    let status = StatusDocument(
      version: "0.1.0", pid: 4242, startedAt: moment, now: moment.adding(seconds: 90), state: .waiting,
      reason: "until 16:02",
      keys: .init(pending: 400, inFlight: 4, retrying: 3, registered: 590, failed: 3, cancelled: 1),
      lists: .init(total: 2, active: 1),
      progress: .init(done: 593, fraction: 0.593, perSecond: 6.6, etaSeconds: 61, etaFrom: "rate_limit"),
      rateLimit: .init(
        name: "app_key_registrations", limit: 400, periodSeconds: 3600, remaining: 31, resetsInSeconds: 120,
        reserved: 12, source: "headers", waitingSeconds: 0.25),
      requests: .init(
        sent: 601, created: 590, throttled: 1, clientErrors: 3, serverErrors: 5, transportErrors: 2,
        latency: .init(p50: 104, p90: 140, p99: 320, max: 900)),
      workers: .init(total: 16, busy: 4), hold: .outage, spool: "/var/spool/keyreg",
      lastError: .init(at: moment, message: "502"))
    #expect(status.keys.total == 1001)
    #expect(try DocumentCoding.decode(StatusDocument.self, from: try DocumentCoding.encode(status)) == status)
  }

  @Test func membersThatAreNotKnownOrLeftOutDoNotHinderReading() throws {
    let text = """
      {"app_key_id":"\(id(1))","state":"in_flight","attempts":2,"lists":["a"],"colour":"blue","first_attempt_at":null}
      """
    let key = try DocumentCoding.decode(KeyDocument.self, from: Array(text.utf8))
    #expect(key == KeyDocument(id: id(1), state: .inFlight, attempts: 2, lists: ["a"]))
  }

  @Test func aWordOfALaterVersionIsPassedOn() throws {
    let moment = Timestamp(milliseconds: 0)
    var status = StatusDocument(version: "9", pid: 1, startedAt: moment, now: moment, state: .idle, hold: .disk)
    let text = try Self.json(status).replacing("idle", with: "dreaming").replacing("\"disk\"", with: "\"moon\"")
    status = try DocumentCoding.decode(StatusDocument.self, from: Array(text.utf8))
    #expect(status.state == .other("dreaming") && status.hold == .other("moon"))
    #expect(try Self.json(status) == text)
    #expect(ListDocument.State(rawValue: "d\u{1b}[2J") == .other("d\\u{1b}[2J"))
    #expect(KeyDocument.State(rawValue: "in_flight") == .inFlight && !KeyDocument.State.allCases.contains(.other("x")))
  }

  @Test func aListAndAKeyHaveAllTheirMembers() throws {
    let moment = Timestamp(milliseconds: 0)
    let list = ListDocument(name: "a", id: 7, state: .importing, bytes: 37, arrivedAt: moment)
    #expect(
      try Self.json(list) == """
        {"arrived_at":"1970-01-01T00:00:00.000Z","bytes":37,"duplicate_of":null,"eta_at":null,"finished_at":null,\
        "id":7,"imported_at":null,"invalid":0,\
        "keys":{"cancelled":0,"failed":0,"pending":0,"registered":0,"retrying":0,"total":0},"name":"a",\
        "progress":{"done":0,"fraction":0},"results":null,"sha256":null,"state":"importing"}
        """)
    let key = KeyDocument(
      id: id(1), state: .failed, httpStatus: 404, attempts: 1, error: .init(title: nil, detail: "app key not found"),
      lists: ["a"])
    #expect(
      try Self.json(key) == """
        {"app_key_id":"\(id(1))","attempts":1,"error":{"detail":"app key not found","title":null},\
        "finished_at":null,"first_attempt_at":null,"http_status":404,"lists":["a"],"next_attempt_at":null,\
        "state":"failed"}
        """)
  }

  @Test func everyStateOfAKeyHasTheSameNameHereAsInTheQueue() {
    for state in KeyState.allCases { #expect(KeyDocument.State(state).rawValue == state.name) }
  }
}
