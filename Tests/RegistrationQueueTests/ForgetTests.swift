import Registration
import Testing

@testable import RegistrationQueue

/// Lists are forgotten some time after they ended; their keys never are.
@Suite struct ForgetTests {
  private static let month = Duration.seconds(30 * 86_400)

  private let temporary: TemporaryQueue
  private var queue: RegistrationQueue { temporary.queue }

  init() throws {
    temporary = try TemporaryQueue()
  }

  private func days(_ count: Double) {
    temporary.clock.advance(seconds: count * 86_400)
  }

  /// Registers what is open, and writes the results and files of every list.
  private func end(_ decision: KeyResult.Decision = .registered) throws {
    for key in try temporary.due() { try temporary.record(key, decision) }
    try queue.resultsWritten(queue.listsWithoutResults(), at: temporary.clock.wall)
    for list in try queue.unfiledLists() { try queue.noteFiled(list.id, at: temporary.clock.wall) }
  }

  private func listed(isActive: Bool? = nil) throws -> [String] {
    let page = try queue.lists(isActive: isActive, limit: 100).rows.map(\.name)
    if isActive == nil { #expect(try queue.lists(newest: 100).map(\.name) == page) }
    return page
  }

  @Test func aListIsForgottenAMonthAfterItEndedAndItsKeysStay() throws {
    try temporary.add(keys(3), as: "a")
    days(40)
    #expect(try queue.forget(after: Self.month) == 0)
    try end()
    days(29.9)
    #expect(try queue.forget(after: Self.month) == 0)
    #expect(try listed() == ["a"])
    days(0.2)
    #expect(try queue.forget(after: Self.month) == 1)
    #expect(try listed() == [] && listed(isActive: false) == [])
    #expect(try queue.forget(after: Self.month) == 0)
    #expect(try queue.outcomes(limit: 10).rows.map(\.list) == ["a", "a", "a"])
    #expect(try queue.key(keys(1)[0])?.lists == ["a"])
    // Its name and bytes are known: a list of that name gets a number, and the spool does not look like a newer queue's.
    #expect(try queue.hasList(named: "a") && queue.list(named: "a")?.keys[.registered] == 3)
    try temporary.add(keys(3), as: "b")
    #expect(try listed() == ["b"] && queue.list(named: "b")?.alreadyKnown == 3)
  }

  /// Its files are kept as long: the keys of a long list may take longer than a month.
  @Test func aListIsInUseUntilAMonthAfterItEnded() throws {
    try temporary.add(keys(3), as: "a")
    days(40)
    #expect(try queue.listsInUse(within: Self.month) == ["a"])
    try end()
    days(29.9)
    #expect(try queue.listsInUse(within: Self.month) == ["a"])
    days(0.2)
    #expect(try queue.listsInUse(within: Self.month).isEmpty)
  }

  @Test func noListIsForgottenThatHasWorkOrNoResultsOrIsNotFiled() throws {
    try temporary.add(keys(1), as: "open")
    try temporary.add(keys(1, from: 1), as: "no results")
    try temporary.record(temporary.due()[1], .registered)
    try temporary.add(keys(1, from: 2), as: "not filed")
    try temporary.record(temporary.due()[1], .registered)
    let list = try #require(try queue.list(named: "not filed"))
    try queue.resultsWritten([list], at: temporary.clock.wall)
    try queue.noteFiled(try #require(try queue.list(named: "open")).id, at: temporary.clock.wall)
    try queue.noteFiled(try #require(try queue.list(named: "no results")).id, at: temporary.clock.wall)
    days(1_000)
    #expect(try queue.forget(after: Self.month) == 0)
    #expect(try listed() == ["open", "no results", "not filed"])
  }

  @Test func aWallClockThatIsSetForgetsNothing() throws {
    try temporary.add(keys(1), as: "a")
    try end()
    temporary.clock.set(by: 400 * 86_400)
    #expect(try queue.forget(after: Self.month) == 0)
  }

  @Test func keysOfOtherListsLeaveAForgottenList() throws {
    try temporary.add(keys(4), as: "a")
    try temporary.add(keys(6, from: 2), as: "b")
    for (key, decision) in zip(try temporary.due(), [.registered, .failed, .failed] as [KeyResult.Decision]) {
      try temporary.record(key, decision)
    }
    try end()
    days(31)
    try temporary.add(keys(5, from: 1), as: "c")
    try end()
    #expect(try queue.forget(after: Self.month) == 0)
    // The failed keys were tried again for `c`, so the results of all three are new.
    days(31)
    try temporary.add(keys(8), as: "d")
    try end()
    #expect(try queue.forget(after: Self.month) == 3)
    #expect(try listed() == ["d"])
    let counted = try temporary.recount().lists
    for name in ["a", "b", "c", "d"] {
      let list = try #require(try queue.list(named: name))
      for state in KeyState.allCases { #expect(list.keys[state] == counted[name]?[state.rawValue] ?? 0) }
    }
    #expect(try queue.list(named: "b")?.keys.total == 4 && queue.list(named: "c")?.keys.total == 0)
    #expect(try queue.key(keys(1, from: 3)[0])?.lists == ["a", "d"])
    #expect(try QueueCheck(queue).run() == .sound)
  }

  @Test func aForgottenListIsListedAgainWhileItHasWorkAndAMonthLonger() throws {
    try temporary.add(keys(2), as: "a")
    try end(.failed)
    days(31)
    #expect(try queue.forget(after: Self.month) == 1)
    _ = try queue.retry(RetrySelection(keys: [keys(1)[0]]))
    #expect(try listed(isActive: true) == ["a"])
    try end()
    #expect(try listed() == ["a"])
    days(29)
    #expect(try queue.forget(after: Self.month) == 0)
    days(2)
    #expect(try queue.forget(after: Self.month) == 1)
    // Its file has grown.
    try queue.importBatch(
      temporary.batch(keys(1, from: 9)), into: #require(try queue.list(named: "a")).id, of: temporary.source("a"))
    #expect(try listed() == ["a"])
  }
}
