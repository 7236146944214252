import Glibc
import Testing

@testable import Spool

/// What is written to filed lists while nobody reports it is not forgotten.
@Suite struct FolderWatchesTests {
  private let temporary: TemporarySpool

  init() throws {
    temporary = try TemporarySpool()
  }

  @Test func without_events_filed_lists_are_compared_once_a_minute() throws {
    var watches = FolderWatches()
    let moments = [0, 5, 59, 60, 61, 119, 120, 200].filter { second in
      (try? watches.renew(temporary.spool, by: nil, at: .seconds(second)).mayHaveMissedWrites) == true
    }
    #expect(moments == [60, 120, 200])
  }

  @Test func once_there_are_events_again_filed_lists_are_compared() throws {
    var watches = FolderWatches()
    #expect(try !watches.renew(temporary.spool, by: nil, at: .zero).mayHaveMissedWrites)
    let events = try FolderEvents()
    #expect(try watches.renew(temporary.spool, by: events, at: .seconds(5)).mayHaveMissedWrites)
    #expect(try !watches.renew(temporary.spool, by: events, at: .seconds(500)).mayHaveMissedWrites)
    #expect(Set(watches.folders.values) == [.incoming, .reading, .done, .rejected])
  }

  @Test func a_folder_that_is_made_again_is_watched_again() throws {
    var watches = FolderWatches()
    let events = try FolderEvents()
    _ = try watches.renew(temporary.spool, by: events, at: .zero)
    let done = temporary.spool.path(of: .done)
    try #require(rename(done, done + ".old") == 0 && mkdir(done, 0o750) == 0)
    let renewal = try watches.renew(temporary.spool, by: events, at: .seconds(1))
    #expect(renewal.mayHaveMissedWrites && !renewal.hasLostArrivals && renewal.refusal == nil)
  }
}
