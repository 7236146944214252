import Spool
import Testing

@testable import RegistrationDaemon

struct WaitingListsTests {
  private var waiting = WaitingLists()

  private func list(_ name: String, isStill: Bool = false) throws -> ReadyList {
    ReadyList(place: .reading, name: try ListName(name), isStill: isStill)
  }

  @Test mutating func lists_come_in_their_order_each_once() throws {
    for name in ["b", "a", "b"] { waiting.add(try list(name)) }
    #expect(waiting.next() == (try list("b")))
    waiting.add(try list("b"))
    #expect(waiting.next() == (try list("a")))
    #expect(waiting.next() == (try list("b")))
    #expect(waiting.next() == nil && waiting.isEmpty)
  }

  @Test mutating func a_list_that_waits_and_has_become_still_is_still() throws {
    waiting.add(try list("a"))
    waiting.add(try list("a", isStill: true))
    waiting.add(try list("a"))
    #expect(waiting.next() == (try list("a", isStill: true)))
    #expect(waiting.isEmpty)
  }

  @Test mutating func posted_lists_have_a_line_of_their_own() throws {
    waiting.add(try list("a"))
    waiting.add(posted: try list("p"))
    waiting.add(posted: try list("q"))
    #expect(waiting.nextPosted() == (try list("p")))
    #expect(waiting.removeAll() == [try list("q"), try list("a")])
    #expect(waiting.isEmpty && waiting.nextPosted() == nil)
  }
}
