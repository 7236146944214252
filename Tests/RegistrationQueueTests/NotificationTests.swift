import Registration
import Testing

@testable import RegistrationQueue

/// Notifications that are not delivered yet.
struct NotificationTests {
  private func texts(_ queue: RegistrationQueue, _ way: DueNotification.Way) throws -> [String] {
    var (texts, number): ([String], Int64) = ([], 0)
    while let due = try queue.nextNotification(by: way, after: number) {
      texts.append(due.text)
      number = due.number
    }
    return texts
  }

  @Test func eachWayHasItsOwnAndTheySurviveAKill() throws {
    let temporary = try TemporaryQueue()
    let dropped = try temporary.queue.keep([.init("1", by: .url), .init("1", by: .command), .init("2", by: .url)])
    #expect(dropped == 0)
    try temporary.reopen(closing: false)
    #expect(try texts(temporary.queue, .url) == ["1", "2"])
    #expect(try texts(temporary.queue, .command) == ["1"])
    let first = try #require(try temporary.queue.nextNotification(by: .url, after: 0))
    try temporary.queue.forgetNotifications(by: .url, upTo: first.number)
    #expect(try texts(temporary.queue, .url) == ["2"])
    #expect(try texts(temporary.queue, .command) == ["1"])
  }

  @Test func aNumberIsNeverUsedAgain() throws {
    let temporary = try TemporaryQueue()
    _ = try temporary.queue.keep([.init("1", by: .url)])
    let first = try #require(try temporary.queue.nextNotification(by: .url, after: 0))
    try temporary.queue.forgetNotifications(by: .url, upTo: .max)
    try temporary.reopen()
    _ = try temporary.queue.keep([.init("2", by: .url)])
    #expect(try temporary.queue.nextNotification(by: .url, after: first.number)?.text == "2")
  }

  @Test func theOldestAreDroppedWhenTooManyAreDue() throws {
    let temporary = try TemporaryQueue()
    _ = try temporary.queue.keep([.init("other", by: .command)])
    let most = RegistrationQueue.mostNotifications
    #expect(try temporary.queue.keep((1...most).map { .init("\($0)", by: .url) }) == 0)
    #expect(try temporary.queue.keep([.init("new", by: .url), .init("newer", by: .url)]) == 2)
    let texts = try texts(temporary.queue, .url)
    #expect(texts.count == most && texts.first == "3" && texts.last == "newer")
    #expect(try self.texts(temporary.queue, .command) == ["other"])
  }

  @Test func aRejectedListIsToldOnce() throws {
    let temporary = try TemporaryQueue()
    var list = RejectedList(name: "a", bytes: 1, modified: 1, what: "no key", line: nil, hint: "", at: .now())
    for bytes in 1...3 {
      list.bytes = Int64(bytes)
      try temporary.queue.noteRejected(list, telling: [.init("rejected \(bytes)", by: .url)])
    }
    #expect(try texts(temporary.queue, .url) == ["rejected 1"])
  }

  @Test func aListThatIsDoneIsTold() throws {
    let temporary = try TemporaryQueue()
    let list = try temporary.add([], as: "a")
    try temporary.queue.resultsWritten([list], at: .now(), telling: [.init("done", by: .command)])
    #expect(try texts(temporary.queue, .command) == ["done"])
  }
}
