import Spool
import Testing

/// Times are seconds.
struct GrowthRuleTests {
  private var rule = GrowthRule(settle: .seconds(2))
  private let name: ListName

  init() throws {
    name = try ListName("a")
  }

  private func status(size: Int64) -> FileStatus {
    FileStatus(kind: .regular, identity: FileStatus.Identity(device: 1, inode: 1), size: size, changed: 1)
  }

  private mutating func isStill(size: Int64, at now: Int64) -> Bool {
    rule.isStill(name, status(size: size), at: .seconds(now))
  }

  @Test mutating func a_list_that_was_written_to_is_still_after_a_while_and_then_forgotten() {
    rule.note(name, at: .zero)
    #expect(rule.nextLook == .seconds(2))
    #expect(!isStill(size: 1, at: 1))
    #expect(isStill(size: 1, at: 2))
    #expect(rule.names.isEmpty && rule.nextLook == nil)
    #expect(!isStill(size: 1, at: 5))
  }

  @Test mutating func every_write_begins_the_wait_anew_whether_or_not_an_event_told_of_it() {
    rule.note(name, at: .zero)
    #expect(!isStill(size: 1, at: 1))
    rule.note(name, at: .seconds(1))
    #expect(!isStill(size: 2, at: 2))
    #expect(!isStill(size: 3, at: 3))
    #expect(!isStill(size: 3, at: 4))
    #expect(isStill(size: 3, at: 5))
  }

  /// Without events, filed lists are compared more often than a list takes to settle.
  @Test mutating func a_list_that_is_suspected_again_and_again_settles() {
    for now in 0...1 {
      rule.suspect(name, at: .seconds(now))
      #expect(!isStill(size: 1, at: Int64(now)))
    }
    rule.suspect(name, at: .seconds(2))
    #expect(isStill(size: 1, at: 2))
  }

  @Test mutating func a_list_that_is_gone_is_forgotten() {
    rule.note(name, at: .zero)
    let isStill = rule.isStill(name, nil, at: .seconds(9))
    #expect(!isStill && rule.names.isEmpty)
  }
}
