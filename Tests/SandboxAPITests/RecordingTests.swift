import FoundationEssentials
import Glibc
import Registration
import SandboxAPI
import Testing

/// What the real API was recorded to send, compared with what the stand-in sends.
@Suite struct RecordingTests {
  private struct Exchange: Decodable {
    struct Request: Decodable {
      var method: String
      var path: String
    }
    struct Response: Decodable {
      struct Body: Decodable { var value: String }
      var status: Int
      var reason: String
      var headers: [String: String]
      var body: Body
    }
    var scenario: String
    var request: Request
    var response: Response
  }

  private struct Measurement: Decodable {
    var status: Int
    var date: String
    var limit: String
    var period: String
    var remaining: String
    var reset: String
  }

  private static func fixture<Value: Decodable>(_ name: String, as type: Value.Type) throws -> Value {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
    return try JSONDecoder().decode(type, from: Data(contentsOf: folder.appending(path: name)))
  }

  @Test func everyRecordedExchangeIsAnsweredAsTheRealApiDid() throws {
    let exchanges = try Self.fixture("app_key_registrations.json", as: [Exchange].self)
    #expect(exchanges.count == 8)
    try withSandbox { _, port throws in
      let connection = try Connection(port: port)
      // The key that the recorded reads found.
      _ = try connection.request("PUT", "\(collection)/b7feea52-994e-4714-a100-1bd9eff5aee1")
      for exchange in exchanges {
        let response = try #require(try connection.request(exchange.request.method, exchange.request.path))
        #expect(response.status == exchange.response.status, "\(exchange.scenario)")
        #expect(response.reason == exchange.response.reason, "\(exchange.scenario)")
        #expect(response.body == exchange.response.body.value, "\(exchange.scenario)")
        #expect(response.fields["content-type"] == exchange.response.headers["content-type"], "\(exchange.scenario)")
      }
    }
  }

  @Test func aFixedWindowGivesTheResetThatWasMeasured() throws {
    let measurements = try Self.fixture("rate_limit_headers.json", as: [Measurement].self)
    #expect(measurements.count == 244)
    var exact = 0
    for measurement in measurements {
      let (count, period) = (Int(measurement.limit) ?? 0, Int(measurement.period) ?? 0)
      let quota = try #require(Quota(count: count, periodSeconds: period))
      var limit = ServerLimit(quota, algorithm: .fixed)
      let time = try #require(Self.time(measurement.date))
      let reading = limit.admit(at: time)
      let measured = try #require(Int(measurement.reset))
      if reading.resetSeconds == measured { exact += 1 }
      #expect((1...quota.periodSeconds).contains(measured))
      #expect(RecordingTests.isCounted(measurement.status))
    }
    #expect(exact >= 209)
  }

  /// The stand-in's own answer with that status carries the headers.
  private static func isCounted(_ status: Int) -> Bool {
    [200, 201, 202, 204, 400, 404, 409, 422, 429].contains(status)
  }

  private static func time(_ text: String) -> Timestamp? {
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let words = text.split { $0 == " " || $0 == ":" }
    guard words.count == 8, let month = months.firstIndex(of: String(words[2])), let year = Int32(words[3]) else {
      return nil
    }
    let numbers = [words[1], words[4], words[5], words[6]].compactMap { Int32($0) }
    guard numbers.count == 4 else { return nil }
    var parts = tm()
    parts.tm_year = year - 1900
    parts.tm_mon = Int32(month)
    (parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec) = (numbers[0], numbers[1], numbers[2], numbers[3])
    return Timestamp(milliseconds: Int64(timegm(&parts)) * 1000)
  }
}
