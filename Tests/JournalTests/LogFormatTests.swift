import FoundationEssentials
import Glibc
import Logging
import Registration
import TestSupport
import Testing

@testable import Journal

struct LogFormatTests {
  private func entry(
    _ message: String, level: Logger.Level = .info, _ metadata: Logger.Metadata = [:]
  ) -> LogEntry {
    LogEntry(
      time: Timestamp(milliseconds: 1_795_341_600_125), level: level, message: message, metadata: metadata)
  }

  private struct Line: Decodable {
    var time: String
    var level: String
    var message: String
    var metadata: [String: String]?
  }

  private func decoded(_ line: String) throws -> Line {
    try JSONDecoder().decode(Line.self, from: Data(line.utf8))
  }

  @Test func textHasTimeLevelMessageAndFields() {
    #expect(LogFormat.text.line(entry("list imported")) == "2026-11-22T10:00:00.125Z info    list imported\n")
    #expect(
      LogFormat.text.line(entry("held", level: .warning, ["reason": "outage", "list": "a b", "n": "3", "e": ""]))
        == "2026-11-22T10:00:00.125Z warning held e=\"\" list=\"a b\" n=3 reason=outage\n")
  }

  @Test func jsonIsOneObjectALine() throws {
    #expect(
      LogFormat.json.line(entry("up"))
        == #"{"time":"2026-11-22T10:00:00.125Z","level":"info","message":"up"}"# + "\n")
    let line = LogFormat.json.line(entry(#"say "hi" \o/"#, level: .error, ["a": #"x"y\z"#, "b": "ü"]))
    let object = try decoded(line)
    #expect(object.message == #"say "hi" \o/"#)
    #expect(object.level == "error")
    #expect(object.metadata == ["a": #"x"y\z"#, "b": "ü"])
    #expect(line.filter(\.isNewline) == "\n")
  }

  @Test(
    arguments: zip(
      [Logger.Level.trace, .debug, .info, .notice, .warning, .error, .critical], [7, 7, 6, 5, 4, 3, 2]))
  func theJournalIsGivenThePriorityOfSyslog(level: Logger.Level, priority: Int) {
    #expect(LogFormat.journal.line(entry("m", level: level, ["k": "v"])) == "<\(priority)>m k=v\n")
  }

  @Test(arguments: LogFormat.allCases)
  func neitherMessageNorMetadataCanForgeALineOrMoveTheCursor(format: LogFormat) {
    let hostile = "a\n<0>b\r\u{1b}[2J\u{9b}\u{85}\u{2028}\u{202e}\0c"
    let line = format.line(
      entry(hostile, [hostile: .string(hostile), "nested": ["x": .array([.string(hostile)])]]))
    #expect(line.hasSuffix("\n"))
    let controls = line.dropLast().unicodeScalars.filter {
      [.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
    }
    #expect(controls.isEmpty)
  }

  @Test(arguments: LogFormat.allCases)
  func aLineIsNeverLongerThanAPipeTakesAtOnce(format: LogFormat) throws {
    let zalgo = "e" + String(repeating: "\u{301}", count: 50_000)
    for text in [zalgo, String(repeating: "\"", count: 50_000), String(repeating: "\u{1}", count: 5000)] {
      let metadata = Logger.Metadata(uniqueKeysWithValues: (0..<500).map { ("k\($0)" + text, .string(text)) })
      let line = format.line(entry(text, metadata))
      #expect(line.utf8.count <= LogFormat.maximumLineLength)
      #expect(line.hasSuffix("\n"))
      #expect(line.contains("…"))
      if format == .json { #expect(try decoded(line).metadata?["…"] == "…") }
    }
  }

  @Test func aLineThatFitsIsWhole() {
    let metadata = Logger.Metadata(uniqueKeysWithValues: (0..<100).map { ("k\($0)", "value") })
    let line = LogFormat.text.line(entry("m", metadata))
    #expect(!line.contains("…"))
    #expect(line.split(separator: " ").count == 103)
  }

  @Test func theJournalIsRecognisedByTheFileBehindTheDescriptor() throws {
    let folder = try TemporaryFolder()
    let descriptor = open(try folder.write("log", []), O_WRONLY | O_CLOEXEC)
    defer { close(descriptor) }
    var status = stat()
    #expect(fstat(descriptor, &status) == 0)
    let stream = "\(status.st_dev):\(status.st_ino)"
    #expect(LogFormat.detected(journalStream: stream, descriptor: descriptor) == .journal)
    #expect(LogFormat.detected(journalStream: "\(status.st_dev):\(status.st_ino + 1)", descriptor: descriptor) == .text)
    #expect(LogFormat.detected(journalStream: "", descriptor: descriptor) == .text)
    #expect(LogFormat.detected(journalStream: nil, descriptor: descriptor) == .text)
    #expect(LogFormat.detected(journalStream: stream, descriptor: -1) == .text)
  }
}
