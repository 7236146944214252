import Spool
import Testing

/// Times are seconds; the wall clock is 1000 s ahead of the monotonic one unless a test sets it.
struct SettleRuleTests {
  private let name = FileName("a")
  private var rule = SettleRule(settle: .seconds(2))

  private func file(_ name: String = "a", size: Int64 = 10, changed: Int64, inode: UInt64 = 1) -> SettleRule.Observation
  {
    SettleRule.Observation(
      name: FileName(name),
      status: FileStatus(
        kind: .regular, identity: FileStatus.Identity(device: 1, inode: inode), size: size,
        changed: changed * 1_000_000_000))
  }

  private mutating func isReady(
    _ file: SettleRule.Observation, at now: Int64, wall: Int64? = nil, hasWriter: Bool? = nil
  ) -> Bool {
    !rule.ready(
      among: [file], at: .seconds(now), wall: (wall ?? now + 1000) * 1_000_000_000, hasWriter: { _ in hasWriter }
    ).isEmpty
  }

  @Test mutating func a_file_that_was_moved_in_or_closed_is_ready_at_once() {
    rule.note(.movedIn(name), at: .zero)
    #expect(isReady(file(changed: 1000), at: 0))
    rule.note(.gone(name), at: .zero)
    #expect(!isReady(file(changed: 1000), at: 0))
    rule.note(.closedAfterWriting(name), at: .zero)
    #expect(isReady(file(changed: 1000), at: 0))
  }

  @Test mutating func a_file_that_was_found_is_ready_when_its_last_change_is_old_enough() {
    #expect(!isReady(file(changed: 1000), at: 0))
    #expect(!isReady(file(changed: 1000), at: 1))
    #expect(isReady(file(changed: 1000), at: 2))
  }

  @Test mutating func a_change_in_the_future_counts_from_when_it_was_seen() {
    #expect(!isReady(file(changed: 9000), at: 0))
    #expect(!isReady(file(size: 11, changed: 9000), at: 1))
    #expect(!isReady(file(size: 11, changed: 9000), at: 2))
    #expect(isReady(file(size: 11, changed: 9000), at: 3))
  }

  @Test mutating func a_file_that_is_being_written_waits_for_its_close() {
    #expect(!isReady(file(changed: 1000), at: 0))
    rule.note(.modified(name), at: .zero)
    #expect(!isReady(file(changed: 1000), at: 100))
    rule.note(.closedAfterWriting(name), at: .seconds(101))
    #expect(isReady(file(changed: 1000), at: 101))
    rule.note(.modified(name), at: .seconds(102))
    #expect(!isReady(file(changed: 1102), at: 110))
  }

  @Test mutating func a_writer_that_hangs_is_waited_for_five_minutes() {
    rule.note(.modified(name), at: .seconds(10))
    #expect(!isReady(file(changed: 1010), at: 20))
    #expect(!isReady(file(changed: 1010), at: 319, hasWriter: true))
    #expect(isReady(file(changed: 1010), at: 320, hasWriter: true))
  }

  @Test mutating func an_empty_file_that_was_just_made_waits_for_its_writer() {
    rule.note(.created(name), at: .zero)
    #expect(!isReady(file(size: 0, changed: 1000), at: 100))
    #expect(isReady(file(size: 5, changed: 1101), at: 110))
  }

  @Test mutating func an_empty_file_that_was_closed_waits_until_it_has_settled() {
    rule.note(.closedAfterWriting(name), at: .zero)
    #expect(!isReady(file(size: 0, changed: 1000), at: 1))
    #expect(isReady(file(size: 0, changed: 1000), at: 2))
  }

  @Test mutating func a_file_that_one_writer_closed_waits_for_another_that_has_it_open() {
    rule.note(.closedAfterWriting(name), at: .zero)
    let written = file(size: 10, changed: 1000)
    #expect(rule.ready(among: [written], at: .zero, wall: 1_000_000_000_000) { _ in true }.isEmpty)
    #expect(rule.ready(among: [written], at: .zero, wall: 1_000_000_000_000) { _ in false } == [name])
  }

  @Test mutating func an_open_writer_that_a_lease_shows_is_waited_for() {
    #expect(!isReady(file(changed: 900), at: 0, hasWriter: true))
    #expect(isReady(file(changed: 900), at: 1, hasWriter: false))
  }

  @Test mutating func lost_events_make_nothing_ready_and_keep_nothing_waiting() {
    rule.note(.closedAfterWriting(FileName("a")), at: .zero)
    rule.note(.modified(FileName("b")), at: .zero)
    rule.note(.overflow, at: .zero)
    let files = [file("a", changed: 1000), file("b", changed: 1000)]
    let soon = rule.ready(among: files, at: .seconds(1), wall: 1001_000_000_000, hasWriter: { _ in nil })
    let later = rule.ready(among: files, at: .seconds(2), wall: 1002_000_000_000, hasWriter: { _ in nil })
    #expect(soon.isEmpty)
    #expect(later == [FileName("a"), FileName("b")])
  }

  @Test mutating func what_is_ready_is_offered_in_order_and_again_until_it_is_gone() {
    for name in ["b", "a", "C"] { rule.note(.movedIn(FileName(name)), at: .zero) }
    let files = ["b", "C", "a"].map { file($0, changed: 1000) }
    for round in 0..<2 {
      let ready = rule.ready(among: files, at: .seconds(round), wall: 1000_000_000_000, hasWriter: { _ in nil })
      #expect(ready == ["C", "a", "b"].map { FileName($0) })
    }
    _ = rule.ready(among: [], at: .seconds(3), wall: 1003_000_000_000, hasWriter: { _ in nil })
    #expect(!isReady(file(changed: 1003), at: 3))
  }
}
