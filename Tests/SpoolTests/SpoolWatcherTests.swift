import Foundation
import Glibc
import Registration
import Synchronization
import Testing

@testable import Spool

/// Uses real folders and inotify. Nothing sleeps: each test waits for the watcher's reports.
@Suite(.timeLimit(.minutes(1)))
struct SpoolWatcherTests {
  private let temporary: TemporarySpool

  init() throws {
    temporary = try TemporarySpool()
  }

  /// A watcher and the lists and warnings that it reports, in order.
  private final class Watched: Sendable {
    let lists: AsyncStream<ReadyList>
    let warnings: AsyncStream<SpoolWarning>
    let watcher: SpoolWatcher

    init(
      _ temporary: TemporarySpool, settle: Duration = .seconds(3600), rescan: Duration = .seconds(3600),
      openEvents: @escaping @Sendable () throws(SpoolError) -> FolderEvents = { () throws(SpoolError) in
        try FolderEvents()
      }
    ) throws {
      let (lists, list) = AsyncStream.makeStream(of: ReadyList.self)
      let (warnings, warning) = AsyncStream.makeStream(of: SpoolWarning.self)
      self.lists = lists
      self.warnings = warnings
      watcher = SpoolWatcher(
        spool: temporary.spool, settle: settle, rescan: rescan, openEvents: openEvents
      ) { _ in false }
      watcher.start(
        SpoolWatcher.Callbacks(
          ready: { for ready in $0 { list.yield(ready) } }, warning: { warning.yield($0) }, standingChanged: {},
          removed: { _ in }, missedWrites: {}))
    }

    deinit {
      watcher.stop()
    }

    /// Waits for a list of that name, and returns it.
    func list(_ name: String) async -> ReadyList? {
      await lists.first { $0.name.text == name }
    }
  }

  private func ready(_ place: SpoolDirectory.Subfolder, _ name: String, isStill: Bool) throws -> ReadyList {
    ReadyList(place: place, name: try ListName(name), isStill: isStill)
  }

  @Test func a_file_that_is_moved_in_is_claimed_at_once() async throws {
    let watched = try Watched(temporary)
    try await started(watched)
    try temporary.write(a, to: "a", in: .results)
    rename(temporary.path(.results, "a"), temporary.path(.incoming, "a"))
    #expect(await watched.list("a") == (try ready(.reading, "a", isStill: false)))
    #expect(try temporary.text(.reading, "a") == a)
  }

  @Test func a_dropped_list_is_claimed_at_once() async throws {
    let watched = try Watched(temporary)
    try await started(watched)
    try temporary.drop(a, as: ListName("a"))
    #expect(await watched.list("a") != nil)
  }

  @Test func a_file_that_is_written_in_place_is_claimed_once_it_is_still() async throws {
    let watched = try Watched(temporary, settle: .milliseconds(50))
    try await started(watched)
    try temporary.write(a, to: "a")
    #expect(await watched.list("a") != nil)
    #expect(try temporary.names(.reading) == ["a"])
  }

  @Test func files_that_lay_there_before_are_claimed_in_order_once_they_have_settled() async throws {
    for name in ["b", "a", ".hidden", "c.part"] {
      try temporary.write(a, to: name)
      var old = [timeval(tv_sec: 1, tv_usec: 0), timeval(tv_sec: 1, tv_usec: 0)]
      utimes(temporary.path(.incoming, name), &old)
    }
    let watched = try Watched(temporary)
    var lists = watched.lists.makeAsyncIterator()
    #expect(await lists.next()?.name.text == "a")
    #expect(await lists.next()?.name.text == "b")
    #expect(try temporary.names(.incoming) == [".hidden", "c.part"])
  }

  @Test func a_file_that_is_still_open_is_not_claimed() async throws {
    let watched = try Watched(temporary, settle: .milliseconds(1))
    try await started(watched)
    let descriptor = open(temporary.path(.incoming, "open"), O_CREAT | O_WRONLY, 0o600)
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    try handle.write(contentsOf: Data(a.utf8))
    // This file comes after the write to the other, and so does the scan that it causes. Scans find files by name.
    try temporary.write(a, to: "z")
    var lists = watched.lists.makeAsyncIterator()
    #expect(await lists.next()?.name.text == "z")
    try handle.close()
    #expect(await lists.next()?.name.text == "open")
  }

  @Test(arguments: [SpoolDirectory.Subfolder.reading, .done, .rejected])
  func what_is_written_to_a_claimed_list_is_told_once_it_is_still(place: SpoolDirectory.Subfolder) async throws {
    try temporary.write(a, to: "a", in: .results)
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: temporary.path(.results, "a")))
    let watched = try Watched(temporary, settle: .milliseconds(50))
    try await started(watched)
    rename(temporary.path(.results, "a"), temporary.path(place, "a"))
    // The descriptor is older than the watch and the place: events follow the file.
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(b.utf8))
    #expect(await watched.list("a") == (try ready(place, "a", isStill: true)))
    try handle.write(contentsOf: Data(b.utf8))
    #expect(await watched.list("a") != nil)
  }

  @Test func lists_that_an_earlier_daemon_had_claimed_are_told_at_the_start() async throws {
    try temporary.write(a, to: "a", in: .reading)
    let watched = try Watched(temporary, settle: .milliseconds(50))
    #expect(await watched.list("a") == (try ready(.reading, "a", isStill: true)))
  }

  @Test func receipts_and_reasons_are_not_taken_for_lists() async throws {
    let watched = try Watched(temporary, settle: .milliseconds(10))
    try await started(watched)
    try temporary.write("{}", to: "a.receipt.json", in: .done)
    try temporary.write("why", to: "a.reason.txt", in: .rejected)
    try temporary.write(a, to: "z")
    var lists = watched.lists.makeAsyncIterator()
    #expect(await lists.next()?.name.text == "z")
  }

  @Test func what_is_not_a_regular_file_is_warned_of_once() async throws {
    mkfifo(temporary.path(.incoming, "fifo"), 0o600)
    symlink("/etc/passwd", temporary.path(.incoming, "link"))
    let watched = try Watched(temporary, rescan: .milliseconds(10))
    var warnings = watched.warnings.makeAsyncIterator()
    #expect(await warnings.next() == .notRegular(FileName("fifo"), .fifo))
    #expect(await warnings.next() == .notRegular(FileName("link"), .symbolicLink))
    mkdir(temporary.path(.incoming, "later"), 0o700)
    #expect(await warnings.next() == .notRegular(FileName("later"), .folder))
    #expect(try temporary.names(.incoming) == ["fifo", "later", "link"])
    #expect(watched.watcher.standing.blocked.count == 3)
  }

  /// The options are named after the list's file and its time.
  @Test func options_of_a_list_that_was_changed_before_it_was_taken_are_warned_of_once() async throws {
    let drop = try temporary.spool.beginDrop()
    try drop.write(Array("\(a)\n".utf8))
    _ = try drop.commit(as: ListName("a"), force: true, terms: ListTerms(priority: 7, stopAfter: 0.05))
    let kept = try temporary.spool.beginDrop()
    try kept.write(Array("\(a)\n".utf8))
    _ = try kept.commit(as: ListName("b"), force: true)
    try temporary.append("\(a)\n", to: "a")
    let watched = try Watched(temporary, settle: .milliseconds(1))
    #expect(await watched.list("a") != nil)
    var warnings = watched.warnings.makeAsyncIterator()
    #expect(
      await warnings.next() == .lostOptions(FileName("a"), ["--force", "--priority 7", "--stop-after 5%"]))
    #expect(try temporary.names(.incoming).filter { $0.hasPrefix(".keyreg-") }.count <= 1)
    #expect(try temporary.spool.isForced(temporary.open("b")))
  }

  @Test func a_folder_that_is_removed_and_made_again_is_watched_again() async throws {
    let watched = try Watched(temporary, rescan: .milliseconds(10))
    try await started(watched)
    try FileManager.default.removeItem(atPath: temporary.spool.path(of: .incoming))
    var warnings = watched.warnings.makeAsyncIterator()
    guard case .unavailable(let error) = await warnings.next() else {
      Issue.record("no warning of the missing folder")
      return
    }
    #expect(error.kind == .missing)
    try temporary.spool.prepare()
    try await started(watched)
    #expect(watched.watcher.standing.fault == nil)
    try dropByRename("again")
    #expect(await watched.list("again") != nil)
  }

  @Test func a_folder_that_is_exchanged_is_watched_in_its_new_place() async throws {
    let watched = try Watched(temporary, rescan: .milliseconds(10))
    try await started(watched)
    let incoming = temporary.spool.path(of: .incoming)
    rename(incoming, incoming + ".old")
    try temporary.spool.prepare()
    try await started(watched)
    try dropByRename("new")
    #expect(await watched.list("new") != nil)
  }

  @Test func many_files_at_once_are_all_told() async throws {
    let watched = try Watched(temporary, settle: .milliseconds(1))
    var names = Set((0..<400).map { "list-\($0)" })
    for name in names { try dropByRename(name) }
    for await list in watched.lists {
      names.remove(list.name.text)
      if names.isEmpty { break }
    }
    #expect(try temporary.names(.incoming).isEmpty)
  }

  @Test func without_events_the_folders_are_looked_at_and_a_warning_says_why() async throws {
    let watched = try Watched(temporary, settle: .milliseconds(1), rescan: .milliseconds(10)) { () throws(SpoolError) in
      throw SpoolError("watch the spool", code: EMFILE)
    }
    var warnings = watched.warnings.makeAsyncIterator()
    #expect(await warnings.next()?.description == "cannot watch the spool: Too many open files")
    try temporary.write(a, to: "a")
    #expect(await watched.list("a") != nil)
  }

  @Test func events_that_are_refused_at_first_are_asked_for_again() async throws {
    let attempts = Mutex(0)
    // Only events can take a file that was moved in: none settles.
    let watched = try Watched(temporary, rescan: .milliseconds(10)) { () throws(SpoolError) in
      let attempt = attempts.withLock { attempts in
        attempts += 1
        return attempts
      }
      guard attempt > 3 else { throw SpoolError("watch the spool", code: EMFILE) }
      return try FolderEvents()
    }
    var warnings = watched.warnings.makeAsyncIterator()
    #expect(await warnings.next()?.description == "cannot watch the spool: Too many open files")
    while attempts.withLock({ $0 }) < 4 { await Task.yield() }
    try await started(watched)
    try dropByRename("a")
    #expect(await watched.list("a") != nil)
    #expect(attempts.withLock { $0 } == 4)
  }

  @Test func a_watcher_that_is_stopped_claims_no_more() async throws {
    let stopped = try Watched(temporary, settle: .zero, rescan: .milliseconds(1))
    stopped.watcher.stop()
    try dropByRename("a")
    // Another watcher finds it where it was.
    let watched = try Watched(temporary, settle: .zero)
    #expect(await watched.list("a") != nil)
  }

  private func dropByRename(_ name: String) throws {
    try temporary.drop(a, as: ListName(name))
  }

  /// Returns once `watched` has begun to watch: it warns of a folder that is moved there.
  private func started(_ watched: Watched) async throws {
    let marker = "marker-\(UUID())"
    mkdir(temporary.path(.results, marker), 0o700)
    rename(temporary.path(.results, marker), temporary.path(.incoming, marker))
    _ = await watched.warnings.first { $0 == .notRegular(FileName(marker), .folder) }
    rmdir(temporary.path(.incoming, marker))
  }
}
