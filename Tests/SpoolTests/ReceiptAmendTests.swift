import Foundation
import Registration
import Testing

@testable import Spool

/// A receipt says whether its list was stopped; whatever else is in it stays.
struct ReceiptAmendTests {
  private let temporary: TemporarySpool
  private let name: ListName
  private let stop = Receipt.Stop(at: Timestamp(milliseconds: 1_764_000_000_000), reason: "more than 5 % had failed")

  init() throws {
    temporary = try TemporarySpool()
    name = try ListName("a")
  }

  private func receipt(_ list: String) -> Receipt {
    Receipt(
      list: list, id: 1, sha256: "00", bytes: 1, importedAt: Timestamp(milliseconds: 0),
      keys: Receipt.Keys(accepted: 1))
  }

  private func stored() throws -> NSDictionary? {
    let data = try Data(contentsOf: URL(filePath: temporary.path(.done, "a.receipt.json")))
    return try JSONSerialization.jsonObject(with: data) as? NSDictionary
  }

  @Test func anAmendedReceiptIsTheOneThatKnewOfTheStop() throws {
    try temporary.spool.store(receipt("a"), as: name)
    try temporary.spool.amendReceipt(of: name, stop: stop)
    var stopped = receipt("a")
    stopped.stop = stop
    #expect(try stored() == JSONSerialization.jsonObject(with: stopped.json()) as? NSDictionary)
    try temporary.spool.amendReceipt(of: name, stop: nil)
    #expect(try stored() == JSONSerialization.jsonObject(with: receipt("a").json()) as? NSDictionary)
  }

  @Test func membersOfAnotherVersionAreKept() throws {
    let other = #"""
      {"list":"\"stopped_at\":}","sha256":"00","bytes":1,"imported_at":"2026-11-22T10:00:00.123Z",
       "more":{"of":[1,2.5,true,null,"\u00e9"],"big":9007199254740993}}
      """#
    try temporary.write(other, to: "a.receipt.json", in: .done)
    try temporary.spool.amendReceipt(of: name, stop: stop)
    var expected = try #require(try JSONSerialization.jsonObject(with: Data(other.utf8)) as? [String: Any])
    expected["stopped_at"] = stop.at.description
    expected["stopped_because"] = stop.reason
    #expect(try stored() == NSDictionary(dictionary: expected))
    #expect(temporary.spool.receipted(name)?.list == "\"stopped_at\":}")
  }

  @Test(arguments: ["", "{", "[]", "{\"list\":1}"]) func whatIsNoReceiptStaysAsItIs(text: String) throws {
    try temporary.write(text, to: "a.receipt.json", in: .done)
    try temporary.spool.amendReceipt(of: name, stop: stop)
    #expect(try String(contentsOfFile: temporary.path(.done, "a.receipt.json"), encoding: .utf8) == text)
  }
}
