import Foundation
import Glibc
import KeyList
import Registration
import Testing

@testable import Spool

/// How a list leaves `reading/`.
struct SpoolMovesTests {
  private let temporary: TemporarySpool
  private var spool: SpoolDirectory { temporary.spool }

  init() throws {
    temporary = try TemporarySpool()
  }

  private func receipt(_ list: String) -> Receipt {
    Receipt(
      list: list, id: 1, sha256: "00", bytes: 1, importedAt: Timestamp(milliseconds: 0),
      keys: Receipt.Keys(accepted: 1))
  }

  @Test(arguments: 0..<4) func the_count_of_pending_files_follows_every_change(seed: UInt64) throws {
    let temporary = try TemporarySpool()
    let count = PendingCount(spool: temporary.spool)
    let files = FileManager.default
    var random = SplitMix64(seed: seed)
    let names = ["a", "b", "c", ".hidden", "d.tmp", "e.csv"]
    for _ in 0..<300 {
      let name = names.randomElement(using: &random)!
      let place: SpoolDirectory.Subfolder = Bool.random(using: &random) ? .incoming : .reading
      let path = temporary.path(place, name)
      // Some are there already, or not at all: then nothing changes.
      switch UInt8.random(in: 0..<5, using: &random) {
      case 0, 1: try temporary.write("x", to: name, in: place)
      case 2: try? files.removeItem(atPath: path)
      case 3: try? files.moveItem(atPath: path, toPath: temporary.path(.incoming, names.randomElement(using: &random)!))
      default:
        let folder = temporary.path(.incoming, "folder")
        try? files.createDirectory(atPath: folder, withIntermediateDirectories: false)
      }
      let spool = temporary.spool
      #expect(try count.current(now: .now()) == spool.lists(in: .incoming).count + spool.lists(in: .reading).count)
    }
  }

  @Test func an_accepted_list_is_in_done_with_its_receipt() throws {
    try temporary.write(a, to: "a", in: .reading)
    let file = try temporary.open("a")
    let name = try ListName("a")
    #expect(try spool.accept(file, as: name, receipt: receipt("a")) == .moved)
    #expect(try temporary.names(.reading).isEmpty)
    #expect(try temporary.names(.done) == ["a", "a.receipt.json"])
    #expect(try temporary.text(.done, "a.receipt.json") == String(decoding: receipt("a").json(), as: UTF8.self))
  }

  @Test func lists_accepted_together_are_in_done_and_those_that_cannot_be_stay() throws {
    for name in ["a", "b", "c", "d"] { try temporary.write(a, to: name, in: .reading) }
    try temporary.write("mine", to: "b", in: .done)
    let filings = try ["a", "b", "c", "d"].map { name in
      SpoolDirectory.Filing(file: try temporary.open(name), name: try ListName(name), receipt: receipt(name))
    }
    // Another file has its name now.
    try FileManager.default.removeItem(atPath: temporary.path(.reading, "c"))
    try temporary.write(a, to: "c", in: .reading)
    #expect(try spool.accept(filings) == Set([try ListName("a"), try ListName("d")]))
    #expect(try temporary.names(.reading) == ["b", "c"])
    #expect(try temporary.text(.done, "b") == "mine")
    #expect(try temporary.text(.done, "d.receipt.json") == String(decoding: receipt("d").json(), as: UTF8.self))
  }

  @Test func accepting_together_what_was_accepted_already_changes_nothing() throws {
    try temporary.write(a, to: "a", in: .reading)
    let filing = SpoolDirectory.Filing(
      file: try temporary.open("a"), name: try ListName("a"), receipt: receipt("a"))
    #expect(try spool.accept([filing]) == [filing.name])
    #expect(try spool.accept([filing]).isEmpty)
    #expect(try temporary.names(.done) == ["a", "a.receipt.json"])
  }

  @Test func accepting_again_after_an_interruption_ends_the_same() throws {
    try temporary.write(a, to: "a", in: .reading)
    let file = try temporary.open("a")
    let name = try ListName("a")
    try spool.store(receipt("a"), as: name)
    #expect(try spool.accept(file, as: name, receipt: receipt("a")) == .moved)
    #expect(try spool.accept(file, as: name, receipt: receipt("a")) == .moved)
    #expect(try temporary.names(.done) == ["a", "a.receipt.json"])
  }

  @Test(arguments: [SpoolDirectory.Subfolder.done, .rejected])
  func a_list_that_a_power_cut_left_in_both_folders_leaves_the_first(target: SpoolDirectory.Subfolder) throws {
    try temporary.write(a, to: "a", in: .reading)
    let file = try temporary.open("a")
    #expect(link(temporary.path(.reading, "a"), temporary.path(target, "a")) == 0)
    let name = try ListName("a")
    let moved =
      try target == .done
      ? spool.accept(file, as: name, receipt: receipt("a"))
      : spool.reject(name, identity: file.status.identity, Rejection(what: "x", hint: "y"))
    #expect(moved == .moved)
    #expect(try temporary.names(.reading).isEmpty)
    #expect(try temporary.text(target, "a") == a)
  }

  @Test func a_list_that_a_power_cut_left_in_rejected_too_leaves_it() throws {
    try temporary.write(a, to: "a", in: .rejected)
    try temporary.write("", to: "a.reason.txt", in: .rejected)
    #expect(link(temporary.path(.rejected, "a"), temporary.path(.reading, "a")) == 0)
    try temporary.write(a, to: "b", in: .reading)
    try temporary.write("another list", to: "b", in: .rejected)
    for text in ["a", "b"] {
      #expect(try spool.accept(temporary.open(text), as: ListName(text), receipt: receipt(text)) == .moved)
    }
    #expect(try temporary.names(.rejected) == ["b"])
  }

  @Test func a_list_that_was_exchanged_after_reading_stays() throws {
    try temporary.write("one", to: "a", in: .reading)
    let file = try temporary.open("a")
    try temporary.write("two", to: "b", in: .reading)
    rename(temporary.path(.reading, "b"), temporary.path(.reading, "a"))
    #expect(try spool.accept(file, as: ListName("a"), receipt: receipt("a")) == .replaced)
    #expect(try temporary.text(.reading, "a") == "two")
    #expect(try temporary.names(.done) == ["a.receipt.json"])
  }

  @Test func a_list_that_was_removed_after_reading_keeps_its_receipt() throws {
    try temporary.write(a, to: "a", in: .reading)
    let file = try temporary.open("a")
    unlink(temporary.path(.reading, "a"))
    #expect(try spool.accept(file, as: ListName("a"), receipt: receipt("a")) == .gone)
    #expect(try temporary.names(.done) == ["a.receipt.json"])
  }

  @Test func a_list_in_done_is_never_overwritten() throws {
    try temporary.write("old", to: "a", in: .done)
    try temporary.write("new", to: "a", in: .reading)
    let file = try temporary.open("a")
    #expect(throws: SpoolError.self) { try spool.accept(file, as: ListName("a"), receipt: receipt("a")) }
    #expect(try temporary.text(.done, "a") == "old")
    #expect(try temporary.text(.reading, "a") == "new")
  }

  @Test func a_free_name_is_one_that_nothing_in_the_spool_has() throws {
    let name = try ListName("a")
    #expect(try spool.freeName(for: name) { _ in false } == name)
    try temporary.write("", to: "a", in: .done)
    try temporary.write("", to: "a.2.receipt.json", in: .done)
    try temporary.write("", to: "a.3", in: .rejected)
    try temporary.write("", to: "a.4", in: .rejected)
    try temporary.write("", to: "a.5.csv", in: .results)
    try temporary.write("", to: "a.6", in: .reading)
    #expect(try spool.freeName(for: name) { _ in false }.text == "a.7")
    #expect(try spool.freeName(for: name) { $0.text == "a.7" }.text == "a.8")
  }

  @Test func a_rejected_list_is_kept_with_the_reason() throws {
    try temporary.write("\u{1f}\u{8b}", to: "a.gz", in: .reading)
    let rejection = Rejection(KeyListError(kind: .packed, message: "the list is gzip data", line: 1, hint: "unpack it"))
    #expect(try spool.reject(ListName("a.gz"), rejection) == .moved)
    #expect(try temporary.names(.reading).isEmpty)
    #expect(try temporary.names(.rejected) == ["a.gz", "a.gz.reason.txt"])
    #expect(
      try temporary.text(.rejected, "a.gz.reason.txt")
        == "list: a.gz\nwhat: the list is gzip data\nline: 1\nhint: unpack it, then drop the list again\n")
  }

  @Test func what_is_not_a_regular_file_is_never_moved() throws {
    symlink("target", temporary.path(.reading, "a"))
    let rejection = Rejection(what: "x", hint: "y")
    #expect(try spool.reject(ListName("a"), rejection) == .replaced)
    #expect(try temporary.names(.reading) == ["a"])
  }

}
