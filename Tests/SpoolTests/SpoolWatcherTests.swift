import Foundation
import Glibc
import Synchronization
import Testing

@testable import Spool

/// On real folders and inotify. Nothing sleeps: each test waits for what the watcher tells.
@Suite(.timeLimit(.minutes(1)))
struct SpoolWatcherTests {
  private let temporary: TemporarySpool

  init() throws {
    temporary = try TemporarySpool()
  }

  /// A watcher and the batches and warnings that it tells, in order.
  private final class Watched: Sendable {
    let batches: AsyncStream<[String]>
    let warnings: AsyncStream<SpoolWarning>
    let watcher: SpoolWatcher

    init(_ temporary: TemporarySpool, settle: Duration = .seconds(3600), rescan: Duration = .seconds(3600)) {
      let (batches, batch) = AsyncStream.makeStream(of: [String].self)
      let (warnings, warning) = AsyncStream.makeStream(of: SpoolWarning.self)
      self.batches = batches
      self.warnings = warnings
      watcher = SpoolWatcher(
        spool: temporary.spool, settle: settle, rescan: rescan,
        onReady: { names in batch.yield(names.map(\.description)) }, onWarning: { warning.yield($0) })
    }

    /// Waits until a batch holds all of `names`, and returns that batch.
    func batch(with names: Set<String>) async -> [String]? {
      await batches.first { names.isSubset(of: $0) }
    }
  }

  /// Writes a file and keeps it open.
  private func openWriter(_ name: String, _ text: String) throws -> FileHandle {
    let path = temporary.path(.incoming, name)
    close(open(path, O_CREAT | O_WRONLY, 0o600))
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try handle.write(contentsOf: Data(text.utf8))
    return handle
  }

  @Test func a_file_that_is_closed_after_writing_is_told_at_once() async throws {
    let watched = Watched(temporary)
    try await started(watched)
    try temporary.write(a, to: "a")
    #expect(await watched.batch(with: ["a"]) != nil)
  }

  @Test func a_file_that_is_moved_in_is_told_at_once() async throws {
    let watched = Watched(temporary)
    try await started(watched)
    try temporary.write(a, to: "a", in: .results)
    rename(temporary.path(.results, "a"), temporary.path(.incoming, "a"))
    #expect(await watched.batch(with: ["a"]) != nil)
  }

  @Test func a_dropped_list_is_told_at_once() async throws {
    let watched = Watched(temporary)
    try await started(watched)
    _ = try temporary.spool.drop(Array(a.utf8), as: ListName("a"))
    #expect(await watched.batch(with: ["a"]) != nil)
  }

  @Test func files_that_lay_there_before_are_told_once_they_have_settled() async throws {
    for name in ["b", "a", ".hidden", "c.part"] { try temporary.write(a, to: name) }
    let watched = Watched(temporary, settle: .milliseconds(50), rescan: .milliseconds(10))
    #expect(await watched.batch(with: ["a", "b"]) == ["a", "b"])
  }

  @Test func a_file_that_is_still_open_is_not_told() async throws {
    let watched = Watched(temporary, settle: .zero)
    try await started(watched)
    let handle = try openWriter("open", a)
    // The close of the second file comes after the write to the first, and so does the look that it causes.
    try temporary.write(a, to: "z")
    let batch = await watched.batch(with: ["z"])
    #expect(batch?.contains("open") == false)
    try handle.close()
    #expect(await watched.batch(with: ["open"]) != nil)
  }

  @Test func a_writer_from_before_the_watch_is_seen_by_a_lease() async throws {
    let handle = try openWriter("open", a)
    try temporary.write(a, to: "z")
    let watched = Watched(temporary, settle: .zero)
    let batch = await watched.batch(with: ["z"])
    #expect(batch == ["z"])
    try handle.close()
    #expect(await watched.batch(with: ["open"]) != nil)
  }

  @Test func what_was_not_taken_is_told_again_at_the_next_look() async throws {
    let watched = Watched(temporary)
    try await started(watched)
    try temporary.write(a, to: "a")
    #expect(await watched.batch(with: ["a"]) != nil)
    watched.watcher.rescan()
    #expect(await watched.batch(with: ["a"]) != nil)
  }

  @Test func what_is_no_regular_file_is_warned_of_once() async throws {
    mkfifo(temporary.path(.incoming, "fifo"), 0o600)
    symlink("/etc/passwd", temporary.path(.incoming, "link"))
    let watched = Watched(temporary)
    var warnings = watched.warnings.makeAsyncIterator()
    #expect(await warnings.next() == .notRegular(FileName("fifo"), .fifo))
    #expect(await warnings.next() == .notRegular(FileName("link"), .symbolicLink))
    mkdir(temporary.path(.incoming, "later"), 0o700)
    watched.watcher.rescan()
    #expect(await warnings.next() == .notRegular(FileName("later"), .folder))
    #expect(try temporary.names(.incoming) == ["fifo", "later", "link"])
  }

  @Test func a_folder_that_is_removed_and_made_again_is_watched_again() async throws {
    let watched = Watched(temporary, rescan: .milliseconds(10))
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
    try temporary.write(a, to: "again")
    #expect(await watched.batch(with: ["again"]) != nil)
  }

  @Test func a_folder_that_is_exchanged_is_watched_in_its_new_place() async throws {
    let watched = Watched(temporary, rescan: .milliseconds(10))
    try await started(watched)
    let incoming = temporary.spool.path(of: .incoming)
    rename(incoming, incoming + ".old")
    try temporary.spool.prepare()
    try await started(watched)
    try temporary.write(a, to: "new")
    #expect(await watched.batch(with: ["new"]) != nil)
  }

  @Test func many_files_at_once_are_all_told() async throws {
    let watched = Watched(temporary, settle: .milliseconds(1), rescan: .milliseconds(20))
    let names = Set((0..<400).map { "list-\($0)" })
    for name in names { try temporary.write("", to: name) }
    let batch = await watched.batch(with: names)
    #expect(batch == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
  }

  @Test func without_events_the_folder_is_looked_at_and_a_warning_says_why() async throws {
    let (told, tell) = AsyncStream.makeStream(of: String.self)
    let refusal = SpoolError("watch the spool", code: EMFILE)
    let watcher = SpoolWatcher(
      spool: temporary.spool, settle: .milliseconds(1), rescan: .milliseconds(10), events: .failure(refusal),
      onReady: { tell.yield($0.description) }, onWarning: { tell.yield($0.description) })
    var iterator = told.makeAsyncIterator()
    #expect(await iterator.next() == "cannot watch the spool: Too many open files")
    try temporary.write(a, to: "a")
    #expect(await iterator.next() == "[a]")
    watcher.stop()
  }

  @Test func a_watcher_that_is_stopped_tells_no_more() async throws {
    let told = Mutex<[FileName]>([])
    let stopped = SpoolWatcher(
      spool: temporary.spool, settle: .zero, onReady: { names in told.withLock { $0 += names } }, onWarning: { _ in })
    stopped.stop()
    let watched = Watched(temporary)
    try await started(watched)
    try temporary.write(a, to: "a")
    stopped.rescan()
    #expect(await watched.batch(with: ["a"]) != nil)
    stopped.stop()
    #expect(told.withLock { $0.isEmpty })
  }

  /// Returns once `watched` has begun to watch: it warns of a folder that is put there, be it by looking (which begins
  /// with watching) or by an event.
  private func started(_ watched: Watched) async throws {
    let marker = "marker-\(UUID())"
    mkdir(temporary.path(.incoming, marker), 0o700)
    _ = await watched.warnings.first { $0 == .notRegular(FileName(marker), .folder) }
  }
}
