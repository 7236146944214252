import Registration
import Testing

@testable import ControlAPI

/// Checks the text with a parser as strict as the specification, and the names against the interface.
@Suite struct OpenMetricsTests {
  private struct Family {
    var type: String
    var unit: String?
    var help: String?
    var samples: [(name: String, labels: [String: String], value: Double)] = []
  }

  private struct Malformed: Error {
    var line: Substring
  }

  /// OpenMetrics 1.0.0, as far as it is used: metadata before samples, no family twice, suffixes by type, `# EOF` at
  /// the end.
  private static func parse(_ text: String) throws -> [String: Family] {
    var families: [String: Family] = [:]
    var current = ""
    guard text.hasSuffix("\n# EOF\n") else { throw Malformed(line: text.suffix(20)) }
    for line in text.dropLast("# EOF\n".count).dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("# ") {
        let words = line.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
        guard words.count == 4 else { throw Malformed(line: line) }
        let name = String(words[2])
        switch words[1] {
        case "TYPE":
          guard families[name] == nil else { throw Malformed(line: line) }
          families[name] = Family(type: String(words[3]))
          current = name
        case "UNIT":
          guard name == current, name.hasSuffix("_" + words[3]) else { throw Malformed(line: line) }
          families[name]?.unit = String(words[3])
        case "HELP":
          guard name == current, families[name]?.samples.isEmpty == true else { throw Malformed(line: line) }
          families[name]?.help = String(words[3])
        default: throw Malformed(line: line)
        }
      } else {
        let sample = try self.sample(line)
        let suffixes =
          switch families[current]?.type {
          case "gauge", "unknown": [""]
          case "counter": ["_total"]
          case "info": ["_info"]
          case "histogram": ["_bucket", "_sum", "_count"]
          default: [String]()
          }
        guard suffixes.contains(where: { current + $0 == sample.name }) else { throw Malformed(line: line) }
        families[current]?.samples.append(sample)
      }
    }
    return families
  }

  private static func sample(_ line: Substring) throws -> (name: String, labels: [String: String], value: Double) {
    var rest = line
    let name = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
    rest.removeFirst(name.count)
    var labels: [String: String] = [:]
    if rest.first == "{" {
      repeat {
        rest.removeFirst()
        let label = rest.prefix { $0.isLetter || $0 == "_" }
        rest.removeFirst(label.count)
        guard rest.hasPrefix("=\"") else { throw Malformed(line: line) }
        rest.removeFirst(2)
        var value = ""
        while let character = rest.popFirst(), character != "\"" {
          guard character == "\\" else {
            value.append(character)
            continue
          }
          switch rest.popFirst() {
          case "n": value += "\n"
          case "\\": value += "\\"
          case "\"": value += "\""
          default: throw Malformed(line: line)
          }
        }
        guard labels.updateValue(value, forKey: String(label)) == nil else { throw Malformed(line: line) }
      } while rest.first == ","
      guard rest.popFirst() == "}" else { throw Malformed(line: line) }
    }
    guard rest.popFirst() == " ", let value = Double(rest) else { throw Malformed(line: line) }
    return (String(name), labels, value)
  }

  private static let full = {
    var snapshot = known
    let moment = Timestamp(milliseconds: 1_764_000_000_250)
    (snapshot.state, snapshot.stateSince, snapshot.lastSuccessAt) = (.holding, moment, moment)
    snapshot.oldestPendingAt = moment
    snapshot.listStates = [.incoming: 1, .active: 2]
    (snapshot.rateLimitOurs, snapshot.rateLimitReserved, snapshot.transportErrors) = (300, 12, 2)
    snapshot.process = ProcessUsage(startedAt: moment)
    return snapshot
  }()

  private static let known = MetricsSnapshot(
    keys: [.pending: 400, .inFlight: 4, .registered: 590], requests: ["201": 590, "429": 1, "timed_out": 2],
    durations: .init(bounds: [0.1, 0.25, 1], counts: [5, 3, 0, 2], sum: 12.5), throttled: 1, rateLimit: 400,
    rateLimitRemaining: 31, rateLimitResetSeconds: 119.5, waitSeconds: ["rate_limit": 60.25, "hold": 1e-7],
    lists: [.imported: 2, .rejected: 1], hold: .disk, queueBytes: 40_960, version: "0.1.0 \"quoted\" \\ \n end")

  @Test func everyNameOfTheInterfaceIsThere() throws {
    let families = try Self.parse(Self.full.text(.openMetrics))
    let names = Set(families.values.flatMap { $0.samples.map(\.name) })
    for name in [
      "keyreg_keys", "keyreg_requests_total", "keyreg_request_duration_seconds_bucket", "keyreg_throttled_total",
      "keyreg_rate_limit_limit", "keyreg_rate_limit_remaining", "keyreg_rate_limit_reset_seconds",
      "keyreg_rate_limit_ours", "keyreg_rate_limit_reserved", "keyreg_transport_errors_total",
      "keyreg_wait_seconds_total", "keyreg_lists_total", "keyreg_hold", "keyreg_queue_bytes", "keyreg_build_info",
      "keyreg_lists", "keyreg_state", "keyreg_state_since_timestamp_seconds", "keyreg_last_success_timestamp_seconds",
      "keyreg_oldest_pending_timestamp_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes",
      "process_start_time_seconds", "process_open_fds", "process_max_fds",
    ] { #expect(names.contains(name)) }
    for family in families.values { #expect(family.help?.isEmpty == false) }
    #expect(families["keyreg_request_duration_seconds"]?.unit == "seconds")
    #expect(families["keyreg_queue_bytes"]?.unit == "bytes")
  }

  @Test func labelsAndValuesAreThoseOfTheSnapshot() throws {
    let families = try Self.parse(Self.full.text(.openMetrics))
    let keys = try #require(families["keyreg_keys"]?.samples)
    #expect(keys.first { $0.labels == ["state": "in_flight"] }?.value == 4)
    #expect(keys.first { $0.labels == ["state": "failed"] }?.value == 0)
    #expect(keys.count == 6)
    let hold = try #require(families["keyreg_hold"]?.samples)
    #expect(hold.filter { $0.value == 1 }.map(\.labels) == [["reason": "disk"]])
    #expect(families["keyreg_wait_seconds"]?.samples.first { $0.labels == ["reason": "hold"] }?.value == 1e-7)
    #expect(families["keyreg_build"]?.samples.first?.labels == ["version": "0.1.0 \"quoted\" \\ \n end"])
  }

  @Test func theStateIsOneOfAll() throws {
    let families = try Self.parse(Self.full.text(.openMetrics))
    let states = try #require(families["keyreg_state"]?.samples)
    #expect(states.filter { $0.value == 1 }.map(\.labels) == [["state": "holding"]] && states.count == 6)
    #expect(families["keyreg_state_since_timestamp_seconds"]?.samples.map(\.value) == [1_764_000_000.25])
    #expect(families["keyreg_lists"]?.samples.first { $0.labels == ["state": "active"] }?.value == 2)
  }

  @Test func whoDoesNotAskForOpenMetricsGetsTheClassicForm() throws {
    try withServer { running throws in
      let connection = try running.wire()
      for (accept, type) in [
        ("text/plain", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;q=0.5,application/openmetrics-text;version=1.0.0", "application/openmetrics-text"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain, application/openmetrics-text;q=0", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text; version=1.0.0; q=0.000, */*", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;q=0.5, text/plain;q=0.75", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/plain;q=0, application/openmetrics-text", "application/openmetrics-text"),
      ] {
        try connection.send("GET /metrics HTTP/1.1\r\nHost: h\r\nAccept: \(accept)\r\n\r\n")
        let response = try #require(try connection.response())
        #expect(response.fields["content-type"]?.hasPrefix(type) == true)
        let isClassic = type.hasPrefix("text/plain")
        #expect(response.body.contains("# EOF") != isClassic)
        #expect(response.body.contains("# TYPE keyreg_requests_total counter\n") == isClassic)
        #expect(response.body.contains("# TYPE keyreg_build_info gauge\n") == isClassic)
      }
    }
  }

  @Test func bucketsCountAllThatIsBelowThem() throws {
    let samples = try #require(try Self.parse(Self.full.text(.openMetrics))["keyreg_request_duration_seconds"]?.samples)
    let buckets = samples.filter { $0.name.hasSuffix("_bucket") }
    #expect(buckets.map(\.value) == [5, 8, 8, 10])
    #expect(buckets.map { $0.labels["le"] } == ["0.1", "0.25", "1.0", "+Inf"])
    #expect(samples.first { $0.name.hasSuffix("_count") }?.value == 10)
    #expect(samples.first { $0.name.hasSuffix("_sum") }?.value == 12.5)
  }

  @Test func whatIsNotKnownHasNoSample() throws {
    let families = try Self.parse(MetricsSnapshot(version: "0.1.0").text(.openMetrics))
    #expect(families["keyreg_rate_limit_limit"]?.samples.isEmpty == true)
    #expect(families["keyreg_request_duration_seconds"]?.samples.isEmpty == true)
    #expect(families["keyreg_throttled"]?.samples.first?.value == 0)
  }
}
