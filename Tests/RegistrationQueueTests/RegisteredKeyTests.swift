import Registration
import Testing

@testable import RegistrationQueue

@Suite struct RegisteredKeyTests {
  /// It stays a canary for longest.
  @Test func ofSeveralTheLastIsKnownAtAStart() throws {
    let temporary = try TemporaryQueue()
    let ours = try temporary.queue.registrar(tag: [1])
    try temporary.add(keys(5), as: "a")
    try temporary.add(keys(5, from: 10), as: "b")
    func register(_ rows: ArraySlice<DueKey>) throws {
      let wall = temporary.clock.wall
      try temporary.queue.record(
        rows.map {
          KeyResult(row: $0.row, decision: .registered, httpStatus: 201, registrar: ours, sentAt: wall, at: wall)
        })
    }
    let due = try temporary.due()
    try register(due[0..<3])
    temporary.clock.advance(seconds: 50)
    try register(due[3..<4])
    #expect(try temporary.queue.registeredKey(within: 60, by: ours)?.key.row == due[3].row)
    // The last list that has one goes before all others.
    try register(due[5..<7])
    #expect(try temporary.queue.registeredKey(within: 60, by: ours)?.key.row == due[6].row)
    temporary.clock.advance(seconds: 20)
    #expect(try temporary.queue.registeredKey(within: 60, by: ours)?.key.row == due[6].row)
  }

  /// Status shows it after a restart, too, even after a kill.
  @Test func theLastSuccessOutlivesARestart() throws {
    let temporary = try TemporaryQueue()
    #expect(temporary.queue.lastSuccess == nil)
    try temporary.add(keys(3), as: "a")
    let due = try temporary.due()
    let first = temporary.clock.wall
    try temporary.record(due[0], .registered, status: 201)
    temporary.clock.advance(seconds: 50)
    try temporary.record(due[1], .failed, status: 404)
    try temporary.reopen(closing: false)
    #expect(temporary.queue.lastSuccess == first)
    let second = temporary.clock.wall
    try temporary.record(due[2], .registered, status: 201)
    try temporary.reopen()
    #expect(temporary.queue.lastSuccess == second)
  }
}
