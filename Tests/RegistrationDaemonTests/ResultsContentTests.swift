import Dispatch
import Foundation
import Glibc
import Registration
import RegistrationQueue
import Spool
import Testing

@testable import RegistrationDaemon

/// Results with columns of the list, which may have been changed or taken away since it was read.
@Suite struct ResultsContentTests {
  private static let ids = (0..<3).map { AppKeyID(high: 1, low: $0) }

  /// The results of a list of `ids`, after its file became `text`: the header's new names, then id and new fields.
  ///
  /// - Parameter body: Called with the spool and the list's file in `done/`, before the results are written.
  private func results(
    _ text: String?, most: Int = 64, _ body: (SpoolDirectory, String) throws -> Void = { _, _ in }
  ) throws -> [String] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "keyreg-results-\(UUID())")
    // What stays behind in the temporary folder harms nobody.
    defer { try? FileManager.default.removeItem(at: folder) }
    let spool = SpoolDirectory(path: folder.appending(path: "spool").path)
    try spool.prepare()
    let queue = try RegistrationQueue(path: folder.appending(path: "queue.sqlite").path)
    var batch = ImportBatch()
    batch.keys = Self.ids
    let source = ListSource(
      name: "a", sha256: "", bytes: 1, modified: 0, format: "csv", column: "id", arrivedAt: .now())
    let list = try queue.beginImport(source, first: batch, isWhole: true)
    let path = spool.path(of: .done) + "/a"
    if let text { try Data(text.utf8).write(to: URL(filePath: path)) }
    try body(spool, path)
    let file = try ResultsContent(queue: queue, spool: spool, list: list, keptColumns: most) {}.write()
    #expect(ResultsFile.finish([file]) == [nil])
    let results = try String(contentsOfFile: spool.path(of: .results) + "/a.csv", encoding: .utf8)
    return results.split(separator: "\n").map { line in
      let fields = line.split(separator: ",", omittingEmptySubsequences: false)
      let id = Self.ids.firstIndex { $0.description == fields[0] }
      return ([id.map(String.init) ?? "-"] + fields.dropFirst(9).map(String.init)).joined(separator: ",")
    }
  }

  @Test func keysThatAreNoLongerInTheListComeLast() throws {
    let other = AppKeyID(high: 2, low: 2)
    let text = "id,name\n\(Self.ids[2]),Eve\n\(other),New\n\(Self.ids[2]),again\n"
    #expect(try results(text) == ["-,name", "2,Eve", "0,", "1,"])
  }

  @Test(arguments: [nil, "", "no,header\n", "id\n\(ResultsContentTests.ids[0])\n", "[]"])
  func aListWithoutColumnsGetsPlainResults(text: String?) throws {
    #expect(try results(text) == ["-", "0", "1", "2"])
  }

  /// A short list may be done before it is filed.
  @Test func aListThatIsBeingFiledKeepsItsColumns() throws {
    let queue = DispatchQueue(label: "filing")
    for _ in 0..<100 {
      let lines = try results("id,name\n\(Self.ids[0]),Eve\n") { spool, path in
        let reading = spool.path(of: .reading) + "/a"
        try #require(rename(path, reading) == 0)
        queue.async { @Sendable in _ = rename(reading, path) }
      }
      #expect(lines.first == "-,name")
      queue.sync {}
    }
  }

  @Test func noneAreKeptUnlessThatIsWanted() throws {
    #expect(try results("id,name\n\(Self.ids[2]),Eve\n", most: 0) == ["-", "0", "1", "2"])
  }
}
