import Foundation
import Glibc
import Registration
import Synchronization
import Testing

/// `FileIO` on pipes, named or not, which wait, takes parts, and is interrupted by signals as no regular file is.
@Suite(.serialized) struct FileIOTests {
  @Test func a_read_that_is_interrupted_goes_on() throws {
    let pipe = try Pipe()
    let read = Interruptible { try FileIO.read(pipe.reader, upTo: 10) }
    read.interrupt()
    try pipe.write([1, 2, 3])
    read.interrupt()
    try pipe.write([4, 5, 6, 7, 8, 9, 10, 11])
    #expect(try read.result() == Array(1...10))
    #expect(try FileIO.read(pipe.reader, upTo: 1) == [11])
  }

  @Test func an_opening_that_is_interrupted_goes_on() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "keyreg-\(UUID())").path
    try #require(mkfifo(path, 0o600) == 0)
    defer { unlink(path) }
    let opening = Interruptible {
      // Waits for a writer.
      let reader = try FileIO.open(path, O_RDONLY)
      defer { close(reader) }
      return try FileIO.read(reader, upTo: 3)
    }
    opening.interrupt()
    let writer = try FileIO.open(path, O_WRONLY)
    try FileIO.write(([1, 2, 3] as [UInt8]).span.bytes, to: writer)
    close(writer)
    #expect(try opening.result() == [1, 2, 3])
  }

  @Test func a_lock_has_one_owner() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "keyreg-\(UUID())").path
    let one = try FileIO.open(path, O_RDWR | O_CREAT, mode: 0o600)
    let other = try FileIO.open(path, O_RDWR)
    defer {
      close(other)
      unlink(path)
    }
    #expect(try FileIO.lock(one))
    #expect(try !FileIO.lock(other))
    close(one)
    #expect(try FileIO.lock(other))
  }

  @Test func a_write_that_is_interrupted_or_short_writes_everything() throws {
    let pipe = try Pipe()
    let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 % 251) }
    let write = Interruptible {
      // Ends the reading below, whatever was written.
      defer { pipe.closeWriter() }
      try pipe.write(bytes)
      return []
    }
    // The buffer is full: the first interruption makes the write short, the second finds that nothing was written.
    write.interrupt()
    write.interrupt()
    #expect(try FileIO.read(pipe.reader, upTo: bytes.count) == bytes)
    #expect(try write.result() == [])
  }

  @Test func a_read_ends_where_the_file_ends() throws {
    let pipe = try Pipe()
    try pipe.write([1, 2, 3])
    pipe.closeWriter()
    #expect(try FileIO.read(pipe.reader, upTo: 10) == [1, 2, 3])
    #expect(try FileIO.read(pipe.reader, upTo: 10) == [])
  }

  @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 300_000])
  func a_file_is_read_as_far_as_is_wanted_in_no_more_memory_than_it_needs(size: Int) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "keyreg-\(UUID())").path
    let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 % 251) }
    let file = try FileIO.open(path, O_RDWR | O_CREAT, mode: 0o600)
    defer {
      close(file)
      unlink(path)
    }
    try FileIO.write(bytes.span.bytes, to: file)
    let all = try FileIO.read(file, upTo: 1 << 30, at: 0)
    #expect(all == bytes && all.capacity < 1 << 20)
    #expect(try FileIO.read(file, upTo: 100_000, at: 0) == Array(bytes.prefix(100_000)))
    #expect(try FileIO.read(file, upTo: 1 << 30, at: size / 2) == Array(bytes.dropFirst(size / 2)))
  }

  @Test func an_error_has_the_reason_of_the_system() throws {
    let pipe = try Pipe()
    #expect(throws: SystemFault(code: EBADF)) { try FileIO.read(pipe.writer, upTo: 1) }
    #expect(throws: SystemFault(code: EBADF)) { try pipe.write([1], to: pipe.reader) }
    #expect(throws: SystemFault(code: ESPIPE)) { try FileIO.read(pipe.reader, upTo: 1, at: 0) }
    #expect(throws: SystemFault(code: ENOENT)) { try FileIO.open("/nowhere/file", O_RDONLY) }
    #expect(throws: SystemFault(code: EINVAL)) { try FileIO.sync(pipe.writer) }
    #expect(SystemFault(code: ENOENT).text == "No such file or directory")
  }
}

private final class Pipe: Sendable {
  let reader: Int32
  let writer: Int32
  private let isWriterOpen = Atomic(true)

  init() throws {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw SystemFault(code: errno) }
    (reader, writer) = (ends[0], ends[1])
  }

  deinit {
    close(reader)
    closeWriter()
  }

  func write(_ bytes: [UInt8], to end: Int32? = nil) throws {
    try FileIO.write(bytes.span.bytes, to: end ?? writer)
  }

  func closeWriter() {
    if isWriterOpen.exchange(false, ordering: .relaxed) { close(writer) }
  }
}

/// A call on a thread of its own that can be interrupted while it waits.
private final class Interruptible: Sendable {
  private static let signal = SIGURG
  private static let interruptions = Atomic(0)

  private struct State {
    var result: Result<[UInt8], any Error>?
    var thread: (handle: pthread_t, status: String)?
  }

  private let state = Mutex(State())
  private let end = DispatchSemaphore(value: 0)

  init(_ call: @escaping @Sendable () throws -> [UInt8]) {
    var action = sigaction()
    // No SA_RESTART: the system must not go on by itself.
    action.__sigaction_handler.sa_handler = { _ in Interruptible.interruptions.add(1, ordering: .relaxed) }
    sigaction(Self.signal, &action, nil)
    Thread.detachNewThread { [self] in
      // The thread that starts this one may block signals, as those of Dispatch do, and pass that on.
      var signals = sigset_t()
      sigemptyset(&signals)
      sigaddset(&signals, Self.signal)
      pthread_sigmask(SIG_UNBLOCK, &signals, nil)
      let folder = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")) ?? ""
      state.withLock { $0.thread = (pthread_self(), "/proc/\(folder)/stat") }
      let result = Result { try call() }
      state.withLock { $0.result = result }
      // No signal may be sent to a thread that is gone.
      end.wait()
    }
  }

  /// Waits until the call waits, and interrupts it.
  func interrupt() {
    while true {
      let (thread, isFinished) = state.withLock { ($0.thread, $0.result != nil) }
      if isFinished { return }
      if let thread, Self.isWaiting(thread.status) {
        let before = Self.interruptions.load(ordering: .relaxed)
        pthread_kill(thread.handle, Self.signal)
        while Self.interruptions.load(ordering: .relaxed) == before { sched_yield() }
        return
      }
      sched_yield()
    }
  }

  /// Waits for the end of the call. To be called once, last.
  func result() throws -> [UInt8] {
    defer { end.signal() }
    while true {
      if let result = state.withLock({ $0.result }) { return try result.get() }
      sched_yield()
    }
  }

  /// The state in proc_pid_stat(5) follows the name, which is in parentheses: `S` while the thread waits.
  private static func isWaiting(_ status: String) -> Bool {
    guard let stat = try? String(contentsOfFile: status, encoding: .utf8), let name = stat.lastIndex(of: ")") else {
      return false
    }
    return stat[name...].dropFirst(2).first == "S"
  }
}
