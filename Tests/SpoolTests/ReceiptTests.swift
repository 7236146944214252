import Foundation
import KeyList
import Registration
import Spool
import Testing

struct ReceiptTests {
  private let example = """
    {"list":"NAME","id":7,"sha256":"ab","bytes":37000,"imported_at":"2026-11-22T10:00:00.123Z",
     "keys":{"accepted":990,"already_known":6,"duplicate_in_list":3,"invalid":1},
     "invalid":[{"line":17,"text":"not-a-uuid","reason":"not a UUID (8-4-4-4-12 hexadecimal)"}],
     "invalid_truncated":false,"duplicate_of":null,"unterminated":true,"format":"csv","column":"app_key_id",
     "priority":5,"stop_after":null}
    """

  @Test func the_document_is_the_one_of_the_contract() throws {
    let time = try #require(Timestamp("2026-11-22T10:00:00.123Z"))
    let receipt = Receipt(
      list: "NAME", id: 7, sha256: "ab", bytes: 37000, importedAt: time,
      keys: Receipt.Keys(accepted: 990, alreadyKnown: 6, duplicateInList: 3, invalid: 1),
      invalid: [InvalidLine(line: 17, text: "not-a-uuid", reason: .notAnID(nil))],
      format: "csv", column: "app_key_id", isUnterminated: true)
    let written = try #require(try JSONSerialization.jsonObject(with: receipt.json()) as? NSDictionary)
    let expected = try #require(try JSONSerialization.jsonObject(with: Data(example.utf8)) as? NSDictionary)
    #expect(written == expected)
  }

  @Test(arguments: [(0, false), (1000, false), (1001, true)])
  func at_most_a_thousand_bad_lines_are_listed(count: Int, isTruncated: Bool) {
    let lines = (0..<count).map { InvalidLine(line: $0 + 1, text: "x", reason: .notAnID(nil)) }
    let receipt = Receipt(
      list: "a", id: 1, sha256: "", bytes: 0, importedAt: Timestamp(milliseconds: 0),
      keys: Receipt.Keys(invalid: count), invalid: lines)
    #expect(receipt.invalid.count == min(count, 1000))
    #expect(receipt.invalidTruncated == isTruncated)
  }

  @Test func bad_lines_that_were_only_counted_are_told_as_truncated() {
    let receipt = Receipt(
      list: "a", id: 1, sha256: "", bytes: 0, importedAt: Timestamp(milliseconds: 0),
      keys: Receipt.Keys(invalid: 5), invalid: [InvalidLine(line: 1, text: "x", reason: .notAnID(nil))])
    #expect(receipt.invalidTruncated)
  }
}
