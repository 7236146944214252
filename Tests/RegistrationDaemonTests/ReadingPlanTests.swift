import Foundation
import Registration
import RegistrationQueue
import Testing

@testable import RegistrationDaemon

/// What is done with a file, for every relation between it and what the queue knows of the list.
struct ReadingPlanTests {
  private let queue: RegistrationQueue

  init() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "keyreg-plan-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    queue = try RegistrationQueue(path: folder.appending(path: "queue.sqlite").path)
  }

  /// A list of which 100 bytes with the sum `old` are known, and 3 entries.
  private func known(isImported: Bool, isFiled: Bool = false, isUnterminated: Bool = false) throws -> ListRecord {
    let source = ListSource(
      name: "a", sha256: "old", bytes: 100, modified: 1, format: "text", isUnterminated: isUnterminated,
      arrivedAt: .now())
    var batch = ImportBatch()
    batch.invalid = 3
    let list = try queue.beginImport(source, first: batch, isWhole: isImported)
    if isFiled { try queue.noteFiled(list.id, at: .now()) }
    return try #require(try queue.list(named: "a"))
  }

  private func plan(_ known: ListRecord?, size: Int, sum: String, sumOfKnown: String?) -> ReadingPlan {
    ReadingPlan(known: known, content: .init(size: size, sha256: sum, sha256OfKnown: sumOfKnown))
  }

  @Test func a_list_that_nobody_knows_is_read_from_its_beginning() {
    #expect(plan(nil, size: 100, sum: "old", sumOfKnown: nil) == .begin)
  }

  @Test func a_list_that_is_read_and_filed_needs_nothing() throws {
    #expect(plan(try known(isImported: true, isFiled: true), size: 100, sum: "old", sumOfKnown: "old") == .nothing)
  }

  @Test func a_list_that_is_read_but_not_filed_is_filed() throws {
    #expect(plan(try known(isImported: true), size: 100, sum: "old", sumOfKnown: "old") == .file)
  }

  @Test func an_interrupted_import_goes_on_where_it_was() throws {
    #expect(plan(try known(isImported: false), size: 100, sum: "old", sumOfKnown: "old") == .resume(entries: 3))
  }

  /// The kill came in between: what was read before is not read again, and what was added is not left out.
  @Test(arguments: [true, false]) func a_list_that_has_grown_is_read_on(isImported: Bool) throws {
    let list = try known(isImported: isImported, isFiled: isImported)
    #expect(plan(list, size: 150, sum: "new", sumOfKnown: "old") == .resume(entries: 3))
  }

  /// It was cut, read again, and then grew: what comes may be a key of the part that was cut off.
  @Test func a_list_that_has_keys_of_an_earlier_content_is_never_read_on() throws {
    let keys = (0..<3).map { AppKeyID(high: 0, low: UInt64($0)) }
    let source = { (sum: String, bytes: Int) in
      ListSource(name: "a", sha256: sum, bytes: bytes, modified: 1, format: "text", arrivedAt: .now())
    }
    var batch = ImportBatch()
    batch.keys = keys
    let list = try queue.beginImport(source("whole", 300), first: batch, isWhole: true)
    #expect(plan(list, size: 400, sum: "new", sumOfKnown: "whole") == .resume(entries: 3))
    var rereading = Rereading(of: list.id)
    batch.keys = [keys[0]]
    try queue.importBatch(batch, of: &rereading)
    let cut = try queue.finish(rereading, of: source("cut", 100))
    #expect(plan(cut, size: 200, sum: "new", sumOfKnown: "cut") == .replace)
    #expect(plan(cut, size: 100, sum: "cut", sumOfKnown: "cut") == .file)
  }

  @Test func a_list_whose_last_record_may_have_become_another_is_read_again() throws {
    let list = try known(isImported: true, isFiled: true, isUnterminated: true)
    #expect(plan(list, size: 150, sum: "new", sumOfKnown: "old") == .replace)
    #expect(plan(list, size: 100, sum: "old", sumOfKnown: "old") == .nothing)
  }

  @Test(arguments: [(100, "changed"), (150, "changed"), (50, nil)] as [(Int, String?)])
  func a_list_whose_beginning_has_changed_is_read_again(size: Int, sumOfKnown: String?) throws {
    let list = try known(isImported: true, isFiled: true)
    #expect(plan(list, size: size, sum: "changed", sumOfKnown: sumOfKnown) == .replace)
  }
}
