import Foundation
import GRDB
import Registration
import Testing

@testable import RegistrationQueue

/// What the check of the whole queue finds.
@Suite struct CheckTests {
  @Test func aSoundQueueIsFoundSound() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(6_000), as: "a")
    for key in try temporary.due(20) { try temporary.record(key, .failed, status: 404) }
    for key in try temporary.due(20) { try temporary.record(key, .registered, status: 201) }
    var parts: [String] = []
    #expect(try QueueCheck(temporary.queue).run { parts.append($0) } == .sound)
    #expect(parts.contains("key") && parts.last == "indexes")
  }

  @Test func damageEndsEveryWriteAndIsLookedForAgainAtTheNextStart() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(3_000), as: "a")
    try temporary.queue.close()
    let files = try temporary.copy()
    var bytes = try Data(contentsOf: files.database)
    // The sixteen bytes of one key, in the table or in the index.
    let place = try #require(bytes.firstRange(of: Data(keys(1, from: 1_500)[0].bytes)))
    bytes[place.lowerBound] ^= 1
    try bytes.write(to: files.database)
    for round in 0..<2 {
      let queue = try RegistrationQueue(path: files.database.path)
      #expect(queue.isSuspect == (round > 0))
      guard case .damaged = try QueueCheck(queue).run() else {
        Issue.record("not found")
        return
      }
      #expect { try queue.remember(1, named: "thing") } throws: { ($0 as? QueueError)?.kind == .disk }
      #expect { try queue.dueKeys(limit: 1, except: [], horizon: 1) } throws: { error in
        "\(error)".contains("keyreg restore")
      }
      #expect(try queue.outcomes(limit: 1).rows.count == 1)
    }
    // Repaired: the check clears the suspicion.
    let mended = try files.sibling()
    try mended.restore(from: files, log: Data(contentsOf: files.log))
    bytes = try Data(contentsOf: files.database)
    bytes[place.lowerBound] ^= 1
    try bytes.write(to: mended.database)
    let queue = try RegistrationQueue(path: mended.database.path)
    #expect(queue.isSuspect)
    #expect(try QueueCheck(queue).run() == .sound)
    try queue.close()
    #expect(try !RegistrationQueue(path: mended.database.path).isSuspect)
  }

  @Test func anOrderToStopEndsIt() throws {
    let temporary = try TemporaryQueue()
    try temporary.add(keys(3_000), as: "a")
    let check = try QueueCheck(temporary.queue)
    #expect(try check.run { part in if part == "key" { check.stop() } } == .stopped)
  }
}
