import Synchronization
import Testing

@testable import Spool

/// What the watcher finds in the folders, on a clock that is passed in.
@Suite struct IntakeFoldersTests {
  /// However it came about that a list was claimed and not read, it must not wait for a restart.
  @Test func aListThatStaysInReadingIsReportedAgain() throws {
    let temporary = try TemporarySpool()
    let now = Mutex(Duration.seconds(1_000))
    let clock = SpoolClock(monotonic: { now.withLock { $0 } }, wall: { 0 })
    let folders = IntakeFolders(spool: temporary.spool, settle: .seconds(2), clock: clock) { _ in false }
    #expect(folders.look().ready.isEmpty)
    try temporary.write("x", to: "a", in: .reading)
    var reported: [Int] = []
    for second in 1...100 {
      now.withLock { $0 += .seconds(1) }
      if folders.look().ready.map(\.name.text) == ["a"] { reported.append(second) }
    }
    #expect(reported.count == 1 && (60...63).contains(reported[0]))
  }
}
