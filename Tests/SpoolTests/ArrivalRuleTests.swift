import Spool
import Testing

/// Times are seconds; the wall clock is 1000 s ahead of the monotonic one unless a test sets it.
struct ArrivalRuleTests {
  private let name = FileName("a")
  private var rule = ArrivalRule(settle: .seconds(2))

  private func file(_ name: String = "a", size: Int64 = 10, modified: Int64, inode: UInt64 = 1)
    -> ArrivalRule.Observation
  {
    ArrivalRule.Observation(
      name: FileName(name),
      status: FileStatus(
        kind: .regular, identity: FileStatus.Identity(device: 1, inode: inode), size: size,
        changed: modified * 1_000_000_000))
  }

  private mutating func decide(
    _ files: [ArrivalRule.Observation], at now: Int64, wall: Int64? = nil
  ) -> ArrivalRule.Decision {
    rule.decide(files, at: .seconds(now), wall: (wall ?? now + 1000) * 1_000_000_000)
  }

  private mutating func isReady(_ file: ArrivalRule.Observation, at now: Int64, wall: Int64? = nil) -> Bool {
    !decide([file], at: now, wall: wall).ready.isEmpty
  }

  @Test mutating func a_file_that_was_moved_in_is_ready_at_once() {
    rule.note(.movedIn(name), at: .seconds(5))
    #expect(isReady(file(modified: 1005), at: 5))
    rule.note(.gone(name), at: .seconds(5))
    #expect(!isReady(file(modified: 1005), at: 5))
  }

  @Test mutating func an_empty_file_waits_for_its_writer_even_when_it_was_moved_in() {
    rule.note(.movedIn(name), at: .zero)
    #expect(!isReady(file(size: 0, modified: 1000), at: 1))
    #expect(isReady(file(size: 0, modified: 1000), at: 2))
  }

  @Test mutating func a_file_that_was_closed_after_writing_waits_until_it_is_still() {
    rule.note(.made(name), at: .zero)
    rule.note(.opened(name), at: .zero)
    rule.note(.modified(name), at: .seconds(1))
    rule.note(.closed(name, afterWriting: true), at: .seconds(1))
    #expect(!isReady(file(modified: 1001), at: 2))
    #expect(isReady(file(modified: 1001), at: 3))
  }

  /// An upload in pieces, or a loop of appends, is one list.
  @Test mutating func every_append_begins_the_wait_anew() {
    for second in 0..<10 {
      rule.note(.opened(name), at: .seconds(second))
      rule.note(.modified(name), at: .seconds(second))
      rule.note(.closed(name, afterWriting: true), at: .seconds(second))
      #expect(!isReady(file(size: Int64(second + 1), modified: 1000 + Int64(second)), at: Int64(second) + 1))
    }
    // The last scan, at second 10, was the first to see the final size.
    #expect(isReady(file(size: 10, modified: 1009), at: 12))
  }

  @Test mutating func a_file_that_was_found_is_ready_when_its_last_change_is_old_enough() {
    #expect(!isReady(file(modified: 1000), at: 0))
    #expect(!isReady(file(modified: 1000), at: 1))
    #expect(isReady(file(modified: 1000), at: 2))
    rule.note(.overflow, at: .seconds(2))
    #expect(isReady(file("old", modified: 900), at: 2))
  }

  @Test mutating func a_change_that_no_event_told_of_begins_the_wait_anew() {
    #expect(!isReady(file(modified: 1000), at: 0))
    #expect(!isReady(file(size: 11, modified: 1001), at: 2))
    #expect(!isReady(file(size: 11, modified: 1001), at: 3))
    #expect(isReady(file(size: 11, modified: 1001), at: 4))
  }

  @Test mutating func a_change_in_the_future_counts_from_when_it_was_seen() {
    #expect(!isReady(file(modified: 9000), at: 0))
    #expect(!isReady(file(modified: 9000), at: 1))
    #expect(isReady(file(modified: 9000), at: 2))
    #expect(!isReady(file("b", modified: .max / 1_000_000_000), at: 2, wall: -1000))
  }

  @Test mutating func a_file_that_is_being_written_waits_for_its_close_but_no_more_than_a_minute() {
    rule.note(.made(name), at: .zero)
    rule.note(.opened(name), at: .zero)
    rule.note(.modified(name), at: .seconds(10))
    #expect(!isReady(file(modified: 1010), at: 69))
    #expect(isReady(file(modified: 1010), at: 70))
    rule.note(.closed(name, afterWriting: true), at: .seconds(70))
    #expect(!isReady(file(modified: 1010), at: 71))
    #expect(isReady(file(modified: 1010), at: 72))
  }

  @Test mutating func a_file_that_another_has_open_still_waits_for_ten_seconds() {
    rule.note(.opened(name), at: .zero)
    rule.note(.opened(name), at: .zero)
    rule.note(.closed(name, afterWriting: true), at: .zero)
    #expect(!isReady(file(modified: 1000), at: 9))
    #expect(isReady(file(modified: 1000), at: 10))
    rule.note(.closed(name, afterWriting: true), at: .seconds(10))
    #expect(isReady(file(modified: 1000), at: 12))
  }

  @Test mutating func reading_a_file_does_not_begin_the_wait_anew() {
    rule.note(.made(name), at: .zero)
    rule.note(.closed(name, afterWriting: true), at: .zero)
    rule.note(.opened(name), at: .seconds(1))
    rule.note(.closed(name, afterWriting: false), at: .seconds(1))
    #expect(isReady(file(modified: 1000), at: 2))
  }

  @Test mutating func the_next_look_is_when_the_first_that_waits_may_be_still() {
    rule.note(.closed(FileName("a"), afterWriting: true), at: .seconds(3))
    rule.note(.closed(FileName("b"), afterWriting: true), at: .seconds(4))
    let files = [file("b", modified: 1004), file("a", modified: 1003)]
    let early = decide(files, at: 4)
    #expect(early.ready.isEmpty && early.nextLook == .seconds(5))
    let later = decide(files, at: 5)
    #expect(later.ready == [FileName("a")] && later.nextLook == .seconds(6))
    let none = decide([], at: 6)
    #expect(none.nextLook == nil)
  }

  @Test mutating func lost_events_make_nothing_ready_and_keep_nothing_waiting() {
    rule.note(.movedIn(FileName("a")), at: .zero)
    rule.note(.modified(FileName("b")), at: .zero)
    rule.note(.overflow, at: .zero)
    let files = [file("a", modified: 1000), file("b", modified: 1000)]
    let (soon, later) = (decide(files, at: 1).ready, decide(files, at: 2).ready)
    #expect(soon.isEmpty)
    #expect(later == [FileName("a"), FileName("b")])
  }

  @Test mutating func what_is_ready_is_told_in_order_of_names() {
    for name in ["b", "a", "C"] { rule.note(.movedIn(FileName(name)), at: .zero) }
    let files = ["b", "C", "a"].map { file($0, modified: 1000) }
    let ready = decide(files, at: 0).ready
    #expect(ready == ["C", "a", "b"].map { FileName($0) })
    _ = decide([], at: 1)
    #expect(!isReady(file(modified: 1001), at: 1))
  }
}
