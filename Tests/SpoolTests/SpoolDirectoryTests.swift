import Dispatch
import Foundation
import Glibc
import KeyList
import Registration
import Synchronization
import Testing

@testable import Spool

private final class Flag: Sendable {
  let isSet = Atomic(false)
}

struct SpoolDirectoryTests {
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

  // MARK: Folders

  @Test func preparing_makes_all_folders_and_may_be_repeated() throws {
    try spool.prepare()
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: spool.path).sorted()
        == ["done", "incoming", "reading", "rejected", "results"])
  }

  @Test func a_link_in_place_of_a_folder_is_refused() throws {
    try FileManager.default.removeItem(atPath: spool.path(of: .done))
    symlink("/tmp", spool.path(of: .done))
    let error = #expect(throws: SpoolError.self) { try spool.prepare() }
    #expect(error?.message.contains("/done") == true)
  }

  // MARK: Dropping

  @Test func a_dropped_list_appears_whole_under_its_name() throws {
    let name = try temporary.drop(a, as: ListName("a.txt"))
    #expect(name.text == "a.txt")
    #expect(try temporary.text(.incoming, "a.txt") == a)
    #expect(try temporary.names(.incoming) == ["a.txt"])
    var status = stat()
    #expect(stat(temporary.path(.incoming, "a.txt"), &status) == 0)
    #expect(status.st_mode & 0o777 == 0o640)
  }

  @Test func a_drop_never_takes_the_place_of_another_list() throws {
    try temporary.write("first", to: "a")
    try temporary.write("old", to: "a.2", in: .done)
    try temporary.write("bad", to: "a.3", in: .rejected)
    try temporary.write("half", to: "a.4", in: .reading)
    #expect(try temporary.drop("new", as: ListName("a")).text == "a.5")
    #expect(try temporary.text(.incoming, "a") == "first")
    #expect(try temporary.text(.incoming, "a.5") == "new")
  }

  @Test func drops_at_the_same_time_all_get_a_name_of_their_own() async throws {
    let temporary = temporary
    let names = try await withThrowingTaskGroup(of: ListName.self) { group in
      for number in 0..<16 {
        group.addTask { try temporary.drop("\(number)", as: ListName("a")) }
      }
      return try await group.reduce(into: Set<ListName>()) { $0.insert($1) }
    }
    #expect(names.count == 16)
    #expect(Set(try names.map { try temporary.text(.incoming, $0.text) }) == Set((0..<16).map(String.init)))
  }

  @Test func a_drop_can_be_read_back_before_it_is_committed_and_vanishes_without() throws {
    do {
      let drop = try spool.beginDrop()
      try drop.write("\(a)\n\(b)".utf8)
      let file = try drop.open()
      var reader = file.reader()
      #expect(try reader.all().count == 2)
      #expect(try spool.lists(in: .incoming).isEmpty)
      #expect(try temporary.names(.incoming).count == 1)
    }
    #expect(try temporary.names(.incoming).isEmpty)
  }

  // MARK: Opening

  @Test func an_open_file_is_read_and_hashed_from_its_beginning_each_time() throws {
    try temporary.write("abc", to: "a", in: .reading)
    let file = try temporary.open("a")
    #expect(file.size == 3)
    for _ in 0..<2 {
      #expect(try file.sha256().whole == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
      var reader = file.reader()
      #expect(try reader.all().count == 1)
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func only_regular_files_are_opened() throws {
    mkdir(temporary.path(.reading, "folder"), 0o700)
    mkfifo(temporary.path(.reading, "fifo"), 0o600)
    try temporary.write(a, to: "target", in: .results)
    symlink(temporary.path(.results, "target"), temporary.path(.reading, "link"))
    symlink("nowhere", temporary.path(.reading, "dangling"))
    for name in ["folder", "fifo", "link", "dangling"] {
      let error = #expect(throws: SpoolError.self) { try temporary.open(name) }
      #expect(error?.kind == .notRegular, "\(name)")
    }
    #expect(throws: SpoolError.self) { try temporary.open("missing") }
  }

  @Test(.timeLimit(.minutes(1)))
  func what_is_exchanged_at_the_moment_of_opening_is_never_followed() throws {
    try temporary.write("secret", to: "target", in: .results)
    let folder = spool.path(of: .reading)
    let target = temporary.path(.results, "target")
    mkfifo("\(folder)/.fifo", 0o600)
    symlink(target, "\(folder)/.link")
    let isOver = Flag()
    let done = DispatchSemaphore(value: 0)
    // A thread of its own: other tests may hold all those of tasks.
    DispatchQueue(label: "exchange").async { @Sendable in
      defer { done.signal() }
      while !isOver.isSet.load(ordering: .relaxed) {
        for kind in ["fifo", "link", "file"] {
          if kind == "file" {
            close(open("\(folder)/.file", O_CREAT | O_WRONLY, 0o600))
          } else {
            link("\(folder)/.\(kind)", "\(folder)/.new")
          }
          rename(kind == "file" ? "\(folder)/.file" : "\(folder)/.new", "\(folder)/a")
        }
      }
    }
    var outcomes: Set<String> = []
    for round in 0... {
      do throws(SpoolError) {
        let file = try temporary.open("a")
        #expect(file.size == 0)
        outcomes.insert("opened")
      } catch {
        outcomes.insert("\(error.kind)")
      }
      if round > 2000, outcomes.isSuperset(of: ["opened", "notRegular"]) { break }
    }
    isOver.isSet.store(true, ordering: .relaxed)
    done.wait()
    #expect(outcomes.isSubset(of: ["opened", "notRegular", "missing"]))
  }

  @Test func a_file_that_is_too_large_is_refused_with_its_size() throws {
    try temporary.write("12345", to: "a", in: .reading)
    let error = #expect(throws: SpoolError.self) { try spool.open(FileName("a"), in: .reading, maximumSize: 4) }
    #expect(error?.kind == .tooLarge)
    #expect(try spool.open(FileName("a"), in: .reading, maximumSize: 5).size == 5)
  }

  @Test func a_file_that_is_written_to_is_no_longer_unchanged() throws {
    try temporary.write(a, to: "a", in: .reading)
    let file = try temporary.open("a")
    #expect(try file.isUnchanged())
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: temporary.path(.reading, "a")))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("x".utf8))
    #expect(try !file.isUnchanged())
  }

  @Test func lists_are_the_regular_files_with_names_that_count_in_order() throws {
    for name in ["b", "a", ".hidden", "c.tmp", "B", "b.receipt.json"] { try temporary.write("", to: name) }
    mkfifo(temporary.path(.incoming, "fifo"), 0o600)
    #expect(try spool.lists(in: .incoming) == ["B", "a", "b"].map { FileName($0) })
  }

  @Test func the_hash_of_the_beginning_tells_whether_a_list_has_only_grown() throws {
    let text = String(repeating: "0123456789abcdef\n", count: 40_000)
    try temporary.write(text, to: "whole", in: .reading)
    for length in [0, 1, 262_144, 262_145, text.utf8.count] {
      try temporary.write(String(text.prefix(length)), to: "beginning", in: .reading)
      let expected = try temporary.open("beginning").sha256().whole
      #expect(try temporary.open("whole").sha256(prefix: Int64(length)).prefix == expected)
    }
    #expect(try temporary.open("whole").sha256(prefix: Int64(text.utf8.count) + 1).prefix == nil)
  }

  @Test func what_is_appended_to_an_open_list_is_not_read_with_it() throws {
    try temporary.write("\(a)\n", to: "a", in: .reading)
    let file = try temporary.open("a")
    let sum = try file.sha256().whole
    try temporary.append("\(b)\n", to: "a", in: .reading)
    #expect(try file.sha256().whole == sum)
    var reader = file.reader()
    #expect(try reader.all().count == 1)
    #expect(try !file.isUnchanged())
  }

  @Test func a_last_record_without_a_line_end_is_told() throws {
    for (text, ends) in [("", true), ("a", false), ("a\n", true), ("a\r", true), ("a\n ", false)] {
      try temporary.write(text, to: "a", in: .reading)
      #expect(try temporary.open("a").endsWithLineEnd() == ends, "\(text.debugDescription)")
    }
  }

  @Test func a_line_end_of_utf16_is_told_too() throws {
    let texts = [
      "\u{feff}a\r\n": true, "\u{feff}a\n": true, "\u{feff}a": false, "\u{feff}\u{a00}": false, "\u{feff}": false,
    ]
    for (text, ends) in texts {
      for encoding in [String.Encoding.utf16LittleEndian, .utf16BigEndian] {
        let data = try #require(text.data(using: encoding))
        try data.write(to: URL(filePath: temporary.path(.reading, "a")))
        #expect(try temporary.open("a").endsWithLineEnd() == ends, "\(text.debugDescription)")
      }
    }
  }

  // MARK: Results and age

  @Test func results_appear_whole_and_replace_earlier_ones() throws {
    let name = try ListName("a")
    let id = try #require(AppKeyID(a))
    for state in [KeyState.failed, .registered] {
      let results = try spool.results(for: name)
      try results.append(Outcome(id: id, state: state, list: "a"))
      #expect(try temporary.names(.results).contains("a.csv") == (state == .registered))
      #expect(ResultsFile.finish([results]) == [nil])
      #expect(
        try temporary.text(.results, "a.csv")
          == Outcome.csvHeader + Outcome(id: id, state: state, list: "a").csvLine)
    }
    #expect(try temporary.names(.results) == ["a.csv"])
  }

  @Test func results_do_not_wait_for_others_that_fail() throws {
    let files = try ["a", "b", "c"].map { name in try spool.results(for: ListName(name)) }
    // Somebody tidies up at the wrong moment.
    let gone = try #require(try temporary.names(.results).first)
    unlink(temporary.path(.results, gone))
    let errors = ResultsFile.finish(files)
    #expect(errors.compactMap(\.self).count == 1)
    #expect(try temporary.names(.results).filter { $0.hasSuffix(".csv") }.count == 2)
  }

  @Test func results_that_are_not_finished_vanish() throws {
    do {
      let results = try spool.results(for: ListName("a"))
      #expect(try temporary.names(.results).count == 1)
      withExtendedLifetime(results) {}
    }
    #expect(try temporary.names(.results).isEmpty)
  }

  @Test func what_is_older_than_keep_is_swept_whatever_its_own_time_says() throws {
    for place in SpoolDirectory.Subfolder.allCases { try temporary.write("", to: "a", in: place) }
    var ancient = [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]
    utimes(temporary.path(.done, "a"), &ancient)
    let now = Timestamp.now()
    #expect(try spool.sweep(keep: .seconds(3600), age: since(now)) == 0)
    #expect(try spool.sweep(keep: .seconds(3600), age: since(now.adding(seconds: 3700))) == 2)
    #expect(try temporary.names(.incoming) == ["a"])
    #expect(try temporary.names(.reading) == ["a"])
    #expect(try temporary.names(.rejected) == ["a"])
  }

  @Test func files_of_a_list_that_is_in_use_stay() throws {
    for name in ["a", "a.receipt.json", "a.2", "b.csv", "b.csv.receipt.json"] {
      try temporary.write("", to: name, in: .done)
    }
    for name in ["a.csv", "a.2.csv", "b.csv.csv"] { try temporary.write("", to: name, in: .results) }
    let later = Timestamp.now().adding(seconds: 3_700)
    #expect(try spool.sweep(keep: .seconds(3_600), used: ["a", "b.csv"], age: since(later)) == 2)
    #expect(try temporary.names(.done) == ["a", "a.receipt.json", "b.csv", "b.csv.receipt.json"])
    #expect(try temporary.names(.results) == ["a.csv", "b.csv.csv"])
  }

  @Test func temporary_files_that_were_left_behind_are_swept_after_a_day() throws {
    try temporary.write("", to: ".keyreg-1-x.tmp")
    try temporary.write("", to: ".another.tmp")
    try temporary.write("", to: ".keyreg-2-x.tmp", in: .results)
    let now = Timestamp.now()
    #expect(try spool.sweep(keep: .seconds(30 * 86400), age: since(now.adding(seconds: 86000))) == 0)
    #expect(try spool.sweep(keep: .seconds(30 * 86400), age: since(now.adding(seconds: 86500))) == 2)
    #expect(try temporary.names(.incoming) == [".another.tmp"])
  }

  @Test func a_forced_list_stays_forced_however_long_it_waits() throws {
    let drop = try spool.beginDrop()
    try drop.write(Array("x\n".utf8))
    let name = try drop.commit(as: ListName("a"), force: true)
    let later = Timestamp.now().adding(seconds: 40 * 86_400)
    try spool.sweep(keep: .seconds(86_400), age: since(later))
    #expect(try spool.isForced(temporary.open(name.text, in: .incoming)))
    // Another file may get the number of a list that was removed. Here the same file gets another content.
    let content = try Data(contentsOf: URL(filePath: temporary.path(.incoming, "a")))
    try content.write(to: URL(filePath: temporary.path(.incoming, "a")))
    #expect(try !spool.isForced(temporary.open(name.text, in: .incoming)))
    // Without its list the mark is garbage.
    try FileManager.default.removeItem(atPath: temporary.path(.incoming, "a"))
    #expect(try spool.sweep(keep: .seconds(86_400), age: since(later)) == 1)
    #expect(try temporary.names(.incoming).isEmpty)
  }

  @Test func a_full_disk_is_told_from_other_faults() {
    for (code, isDisk) in [
      (ENOSPC, true), (EDQUOT, true), (EIO, true), (EROFS, true), (EACCES, false), (ENOENT, false),
    ] {
      let error = SpoolError("write x", code: code)
      #expect(error.isDiskFault == isDisk)
      #expect(error.message.hasPrefix("cannot write x: "))
    }
  }

  @Test func a_list_without_a_key_is_rejected_with_its_first_bad_line() throws {
    let bad = InvalidLine(line: 3, text: "x", reason: .notAnID(nil))
    let rejection = Rejection.noValidKey(invalid: [bad], invalidCount: 9)
    #expect(rejection.line == 3)
    #expect(rejection.what == "no valid key; bad lines: 9, the first (\"x\"): not a UUID (8-4-4-4-12 hexadecimal)")
    #expect(Rejection.noValidKey(invalid: [], invalidCount: 0).what == "the list contains no keys")
  }

  @Test func the_hint_says_how_to_take_ids_out_of_other_text() {
    func hint(_ text: String) -> String {
      let lines = ["x", text].map { InvalidLine(line: 1, text: $0, reason: .notAnID(nil)) }
      return Rejection.noValidKey(invalid: lines, invalidCount: 2).hint
    }
    #expect(hint("<id>00000000-0000-4000-8000-00000000000a</id>").contains("grep -oiE"))
    #expect(hint("00000000-0000-4000-8000").contains("write one key id a line"))
  }
}

/// The age of files at `now`, by a wall clock that was never set.
private func since(_ now: Timestamp) -> (Timestamp) -> Duration {
  { .milliseconds(now.milliseconds - $0.milliseconds) }
}
