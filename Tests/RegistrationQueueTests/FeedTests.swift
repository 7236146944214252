import Registration
import Testing

@testable import RegistrationQueue

@Suite struct FeedTests {
  /// Keys that fail again and again leave room for the others.
  @Test func keysThatAreTriedAgainTakeTurnsWithNewOnes() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(8), as: "a")
    let all = try temporary.due()
    for key in all.prefix(3) { try temporary.record(key, .retry(due: temporary.clock.wall), status: 500) }
    let rows = all.map(\.row)
    let turns = [rows[0], rows[3], rows[1], rows[4], rows[2], rows[5], rows[6], rows[7]]
    #expect(try temporary.due().map(\.row) == turns)
    #expect(try temporary.due(3).map(\.row) == Array(turns.prefix(3)))
    #expect(try temporary.due(3, except: [rows[0], rows[3]]).map(\.row) == [rows[1], rows[4], rows[2]])
    for key in all.dropFirst(3) { try temporary.record(key, .registered, status: 201) }
    #expect(try temporary.due().map(\.row) == Array(rows.prefix(3)))
  }

  private func add(_ count: Int, from start: UInt64, as name: String, priority: Int, to temporary: TemporaryQueue)
    throws
  {
    try temporary.add(keys(count, from: start), as: name)
    _ = try temporary.queue.setTerms(of: name, ListTermsChange(priority: priority))
  }

  @Test func aHigherPriorityGoesFirstAndTheOthersGetATenth() throws {
    let temporary = try TemporaryQueue()
    try add(20, from: 0, as: "a", priority: 5, to: temporary)
    try add(30, from: 100, as: "b", priority: 7, to: temporary)
    try add(5, from: 200, as: "c", priority: 0, to: temporary)
    func lists(_ keys: [DueKey]) -> String { keys.map { ["a", "b", "c"][Int($0.id.low / 100)] }.joined() }
    let others = "aaaaaacaaaaaaaaacaaccc"
    #expect(lists(try temporary.due()) == "bbbbbbbbbabbbbbbbbbabbbbbbbbbabbb" + others)
    #expect(lists(try temporary.due(10)) == "bbbbbbbbba")
    for key in try temporary.due(40) { try temporary.record(key, .registered, status: 201) }
    #expect(lists(try temporary.due(13)) == "aaaaaaaaacaac")
    _ = try temporary.queue.setTerms(of: "c", ListTermsChange(priority: 9))
    #expect(lists(try temporary.due(3)) == "ccc")
    try temporary.reopen()
    #expect(lists(try temporary.due(3)) == "ccc")
    #expect(try temporary.queue.setTerms(of: "none", ListTermsChange(priority: 9)) == nil)
  }

  /// A list in front whose last keys wait for another attempt, or are in hand, leaves its turn to the next.
  @Test func aListWithoutPendingKeysStandsInNobodysWay() throws {
    let temporary = try TemporaryQueue()
    try add(10, from: 0, as: "a", priority: 0, to: temporary)
    try add(30, from: 100, as: "b", priority: 5, to: temporary)
    for key in try temporary.due(9) { try temporary.record(key, .retry(due: temporary.clock.wall), status: 500) }
    try add(2, from: 200, as: "c", priority: 9, to: temporary)
    let urgent = try temporary.due(4).filter { $0.state == .pending }
    try temporary.record(urgent[0], .retry(due: temporary.clock.wall.adding(seconds: 100)), status: 500)
    let due = try temporary.due(20, except: [urgent[1].row])
    let lists = due.map { ($0.state == .pending ? ["a", "b", "c"] : ["A", "B", "C"])[Int($0.id.low / 100)] }
    #expect(lists.joined() == "BbBbBbBbBabBbBbBbBba")
  }

  /// New lists arrive all the time, and each has the keys read anew.
  @Test func aWaitingListHasItsTurnHoweverFewKeysAreReadAtOnce() throws {
    let temporary = try TemporaryQueue()
    try add(30, from: 0, as: "a", priority: 7, to: temporary)
    try add(30, from: 100, as: "b", priority: 5, to: temporary)
    var lists = ""
    for turn in 0..<20 {
      let keys = try temporary.queue.dueKeys(limit: 4, except: [], horizon: 1_000, turn: turn)
      let key = try #require(keys.first)
      lists += ["a", "b"][Int(key.id.low / 100)]
      try temporary.record(key, .registered, status: 201)
    }
    #expect(lists == "aaaaaaaaabaaaaaaaaab")
  }
}
