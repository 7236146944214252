import Foundation
import Glibc
import Testing

@testable import Spool

struct SpoolClaimTests {
  private let temporary: TemporarySpool
  private var spool: SpoolDirectory { temporary.spool }

  init() throws {
    temporary = try TemporarySpool()
  }

  private func claim(_ name: String, taken: Set<String> = []) throws -> String? {
    try spool.claim(FileName(name)) { taken.contains($0.text) }?.text
  }

  @Test func a_claimed_list_lies_in_reading_under_its_name() throws {
    try temporary.write("x", to: "a.csv")
    #expect(try claim("a.csv") == "a.csv")
    #expect(try temporary.names(.incoming).isEmpty)
    #expect(try temporary.text(.reading, "a.csv") == "x")
    try spool.syncClaims()
  }

  @Test func a_claim_never_takes_the_place_of_another_list() throws {
    try temporary.write("old", to: "a", in: .reading)
    try temporary.write("new", to: "a")
    #expect(try claim("a", taken: ["a.2"]) == "a.3")
    #expect(try temporary.text(.reading, "a") == "old")
    #expect(try temporary.text(.reading, "a.3") == "new")
  }

  @Test func only_regular_files_are_claimed() throws {
    symlink("/etc/passwd", temporary.path(.incoming, "link"))
    mkfifo(temporary.path(.incoming, "fifo"), 0o600)
    for name in ["link", "fifo", "missing"] { #expect(try claim(name) == nil) }
    #expect(try temporary.names(.incoming) == ["fifo", "link"])
    #expect(try temporary.names(.reading).isEmpty)
  }

  @Test func a_name_that_is_not_utf8_is_claimed_under_a_printable_one() throws {
    var path = temporary.path(.incoming, "").utf8.map { CChar(bitPattern: $0) }
    path += [0x61, -1, 0]
    close(open(path, O_CREAT | O_WRONLY, 0o600))
    #expect(try spool.claim(FileName(bytes: [0x61, 0xff])) { _ in false }?.text == "a%FF")
    #expect(try temporary.names(.reading) == ["a%FF"])
  }

  @Test(arguments: [SpoolDirectory.Subfolder.reading, .done, .rejected])
  func a_half_done_claim_is_finished(_ place: SpoolDirectory.Subfolder) throws {
    try temporary.write("x", to: "a", in: place)
    try #require(link(temporary.path(place, "a"), temporary.path(.incoming, "a")) == 0)
    #expect(try claim("a") == nil)
    #expect(try temporary.names(.incoming).isEmpty)
    #expect(try temporary.names(place) == ["a"])
  }

  @Test func a_link_to_a_list_of_another_name_is_a_list() throws {
    try temporary.write("x", to: "b", in: .done)
    try #require(link(temporary.path(.done, "b"), temporary.path(.incoming, "a")) == 0)
    #expect(try claim("a") == "a")
  }

  /// A name that comes every five minutes has a hundred thousand numbers after a year.
  @Test func the_free_number_behind_very_many_is_found_soon() throws {
    var asked = 0
    let name = try spool.freeName(for: ListName("a")) { name in
      asked += 1
      return name.text == "a" || Int(name.text.dropFirst(2)).map { $0 <= 100_000 } == true
    }
    #expect(name.text == "a.100001")
    #expect(asked < 50)
  }

  @Test func what_is_appended_by_name_after_a_claim_is_another_file() throws {
    try temporary.write("first", to: "a")
    #expect(try claim("a") == "a")
    try temporary.write("second", to: "a")
    #expect(try claim("a") == "a.2")
    #expect(try temporary.text(.reading, "a") == "first")
  }

  @Test func a_rejected_list_can_be_read_again() throws {
    try temporary.write("x", to: "a", in: .rejected)
    #expect(try spool.reopen(ListName("a")))
    #expect(try temporary.names(.reading) == ["a"])
    #expect(try !spool.reopen(ListName("a")))
  }

  @Test func a_posted_list_is_in_reading_whole_and_forced_where_that_is_wanted() throws {
    let file = try spool.beginPost()
    try file.write("\(a)\n".utf8)
    #expect(try spool.lists(in: .reading).isEmpty)
    let name = try spool.commitPost(file, as: ListName("a"), force: true) { $0.text == "a" }
    #expect(name.text == "a.2")
    let list = try temporary.open("a.2")
    #expect(try spool.isForced(list))
    try spool.clearMarks(list)
    #expect(try !spool.isForced(list))
  }

  @Test func a_list_that_waits_keeps_its_name() throws {
    try temporary.write("old", to: "a", in: .done)
    try temporary.write("new", to: "a")
    #expect(try temporary.drop("submitted", as: ListName("a")).text == "a.2")
    #expect(try claim("a") == "a.3")
    let post = try spool.beginPost()
    #expect(try spool.commitPost(post, as: ListName("a.2"), force: false) { _ in false }.text == "a.2.2")
    #expect(try claim("a.2") == "a.2")
    #expect(try temporary.text(.reading, "a.2") == "submitted")
  }

  @Test func a_name_of_which_anything_is_left_is_not_given_again() throws {
    try temporary.write("{}", to: "a.receipt.json", in: .done)
    try temporary.write("", to: "a.2.csv", in: .results)
    try temporary.write("", to: "a.3", in: .rejected)
    let drop = try spool.beginDrop()
    #expect(try drop.commit(as: ListName("a")) { $0.text == "a.4" }.text == "a.5")
  }

  @Test func a_rejected_list_that_is_mended_and_dropped_again_keeps_its_name_and_loses_its_reason() throws {
    try temporary.write("it is empty", to: "a.reason.txt", in: .rejected)
    try temporary.write("", to: "b", in: .rejected)
    try temporary.write("it is empty", to: "b.reason.txt", in: .rejected)
    for name in ["a", "b"] { try temporary.write("mended", to: name) }
    #expect(try claim("a") == "a" && claim("b") == "b.2")
    #expect(try temporary.names(.rejected) == ["b", "b.reason.txt"])
  }

  @Test func whoever_gives_names_waits_for_the_others() throws {
    let folder = try spool.folder(.incoming)
    let other = try spool.folder(.incoming)
    var order: [String] = []
    folder.whileNaming(waitingAtMost: 1) {
      // Nobody waits for ever.
      other.whileNaming(waitingAtMost: 0.002) { order.append("gave up") }
      order.append("done")
    }
    #expect(order == ["gave up", "done"])
  }
}
