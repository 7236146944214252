import Foundation
import Testing

/// Columns of a CSV list that come back in its results.
struct KeptColumnsTests {
  private static let header =
    "app_key_id,state,http_status,attempts,first_attempt_at,finished_at,error_title,error_detail,list"

  /// A record without its times.
  private func shown(_ record: String) -> String {
    var fields = record.split(separator: ",", omittingEmptySubsequences: false)
    fields[4] = ""
    fields[5] = ""
    return fields.joined(separator: ",")
  }

  @Test func theyComeBackBehindOursInTheOrderOfTheList() throws {
    let keys = randomKeys(4)
    let bench = try Bench(faults: "409:key=\(keys[1])")
    let settings = "spool:\n  settle: 100ms\n  keep_columns: true\n"
    try settings.write(toFile: bench.path("keyreg.yaml"), atomically: true, encoding: .utf8)
    // One is known already, and was in another place there.
    try bench.drop(lines([keys[3]]), as: "0")
    let secret = String(repeating: "0123456789abcdef", count: 2)
    try bench.drop(
      """
      name,id,state
      =cmd(),\(keys[3]),x
      "Ann, ""A"" B",\(keys[2]),"two
      lines"
      later,\(keys[2]),not shown
      nobody,no-id,
      \(secret),\(keys[1]),
      Bob,\(keys[0]),
      """, as: "a.csv")
    #expect(try bench.runUntilDone() == 1)
    let text = try String(contentsOfFile: bench.spool("results/a.csv.csv"), encoding: .utf8)
    #expect(text.hasPrefix(Self.header + ",name,given_state\n"))
    let registered = ",registered,201,1,,,,,a.csv,"
    // A record with a line end in a field has two lines.
    let results = try bench.results("a.csv").map { $0 == "lines\"" ? $0 : shown($0) }
    try #require(results.count == 5)
    #expect(results[0] == keys[3] + registered + "'=cmd(),x")
    #expect(results[1] == keys[2] + registered + "\"Ann, \"\"A\"\" B\",\"two")
    #expect(results[3].hasPrefix(keys[1] + ",failed,409,") && results[3].hasSuffix(",a.csv,(redacted),"))
    #expect(results[4] == keys[0] + registered + "Bob,")
    // They are results of ours, and a list without columns has none.
    #expect(try String(contentsOfFile: bench.spool("results/0.csv"), encoding: .utf8).hasPrefix(Self.header + "\n"))
  }

  @Test func byDefaultThereAreNone() throws {
    let bench = try Bench()
    try bench.drop("name,id\nAnn,\(randomKeys(1)[0])\n", as: "a")
    #expect(try bench.runUntilDone() == 0)
    #expect(try String(contentsOfFile: bench.spool("results/a.csv"), encoding: .utf8).hasPrefix(Self.header + "\n"))
  }
}
