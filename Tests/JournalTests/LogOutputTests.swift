import Glibc
import Journal
import Logging
import Registration
import TestSupport
import Testing

struct LogOutputTests {
  /// Both ends of a pipe, the reading one non-blocking.
  private final class Pipe {
    let reader: Int32
    let writer: Int32

    init() throws {
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0, fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else { throw SystemError(errno) }
      (reader, writer) = (ends[0], ends[1])
    }

    deinit {
      close(reader)
      close(writer)
    }

    /// Everything that is in the pipe now.
    func drain() -> String {
      var bytes: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65536)
      while case let count = read(reader, &buffer, buffer.count), count > 0 { bytes += buffer.prefix(count) }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  private static func output(_ format: LogFormat, _ descriptor: Int32, level: Logger.Level = .info) -> LogOutput {
    LogOutput(format: format, level: level, descriptor: descriptor, now: { Timestamp(milliseconds: 0) })
  }

  private struct Refusal: Error, CustomStringConvertible { var description: String { "it\nrefused" } }

  @Test func theMetadataOfLoggerProviderCallAndErrorAreMergedInThatOrder() throws {
    let pipe = try Pipe()
    var logger = Self.output(.journal, pipe.writer).logger("test")
    logger[metadataKey: "a"] = "logger"
    logger[metadataKey: "b"] = "logger"
    logger[metadataKey: "c"] = "logger"
    logger.handler.metadataProvider = Logger.MetadataProvider { ["b": "provider", "c": "provider"] }
    logger.info("merged", metadata: ["c": "call"])
    logger.error("failed", error: Refusal())
    #expect(
      pipe.drain() == "<6>merged a=logger b=provider c=call\n<3>failed a=logger b=provider c=provider "
        + "error=it\\u{a}refused\n")
  }

  @Test func theLevelCanBeChangedWhileLoggersLive() throws {
    let pipe = try Pipe()
    let output = Self.output(.journal, pipe.writer)
    let logger = output.logger("test")
    var loud = logger
    loud.logLevel = .trace
    logger.debug("no")
    loud.debug("own level")
    output.level = .debug
    logger.debug("yes")
    output.level = .error
    logger.warning("no")
    loud.trace("still its own")
    #expect(pipe.drain() == "<7>own level\n<7>yes\n<7>still its own\n")
  }

  @Test func linesOfManyThreadsStayWhole() async throws {
    let pipe = try Pipe()
    let output = Self.output(.text, pipe.writer)
    let text = String(repeating: "x", count: 50)
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<8 {
        group.addTask {
          for _ in 0..<50 { output.logger("test").info("\(writer)", metadata: ["text": "\(text)"]) }
        }
      }
    }
    let lines = pipe.drain().split(separator: "\n")
    #expect(lines.count == 400)
    #expect(lines.allSatisfy { $0.hasPrefix("1970-01-01T00:00:00.000Z info    ") && $0.hasSuffix(" text=\(text)") })
  }

  @Test(.timeLimit(.minutes(1)), arguments: [true, false])
  func aReaderThatDoesNotReadNeitherBlocksNorIsForgotten(blocking: Bool) throws {
    let pipe = try Pipe()
    if !blocking { #expect(fcntl(pipe.writer, F_SETFL, O_NONBLOCK) == 0) }
    let logger = Self.output(.journal, pipe.writer).logger("test")
    // A pipe holds 64 KiB: a thousand lines of 100 bytes cannot all have fitted.
    let text = String(repeating: "x", count: 96)
    for _ in 0..<1000 { logger.info("\(text)") }
    let taken = pipe.drain().split(separator: "\n").count
    #expect((1..<1000).contains(taken))
    logger.info("back")
    logger.info("again")
    #expect(
      pipe.drain()
        == "<6>back\n<4>log lines were lost lines=\(1000 - taken)\n<6>again\n")
  }

  @Test func aFullDiskIsSurvived() throws {
    let descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC)
    #expect(descriptor >= 0)
    defer { close(descriptor) }
    let logger = Self.output(.text, descriptor).logger("test")
    for _ in 0..<100 { logger.error("no room") }
  }

  @Test func aFileThatReachesItsLimitLosesLinesAndGoesOnWhenThereIsRoom() async {
    await #expect(processExitsWith: .success) {
      // A size limit cuts a line off in the middle, as a full disk does.
      signal(SIGXFSZ, SIG_IGN)
      let folder = try TemporaryFolder()
      let descriptor = open(try folder.write("log", []), O_RDWR | O_CLOEXEC | O_APPEND)
      var limit = rlimit(rlim_cur: 15, rlim_max: rlim_t.max)
      #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      let logger = LogOutputTests.output(.journal, descriptor).logger("test")
      logger.info("first")
      logger.info("second")
      logger.info("third")
      limit.rlim_cur = limit.rlim_max
      #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
      logger.info("fourth")
      var buffer = [UInt8](repeating: 0, count: 1000)
      let count = pread(descriptor, &buffer, buffer.count, 0)
      #expect(
        String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
          == "<6>first\n<6>sec\n<6>fourth\n<4>log lines were lost lines=2\n")
    }
  }

  @Test func aReaderThatIsGoneIsSurvived() async {
    await #expect(processExitsWith: .success) {
      signal(SIGPIPE, SIG_IGN)
      var ends: [Int32] = [0, 0]
      #expect(pipe(&ends) == 0)
      close(ends[0])
      let logger = LogOutputTests.output(.json, ends[1]).logger("test")
      for _ in 0..<100 { logger.error("nobody listens") }
    }
  }

  @Test func aClosedDescriptorIsSurvived() {
    Self.output(.text, -1).logger("test").critical("nowhere to go")
  }
}
