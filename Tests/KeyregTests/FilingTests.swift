import Foundation
import Glibc
import Testing

/// How lists leave `reading/`: in an order that a kill may interrupt anywhere.
@Suite struct FilingTests {
  @Test func aListComesBehindItsReceiptOrReason() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    let done = try Arrivals(in: bench.spool("done"))
    let rejected = try Arrivals(in: bench.spool("rejected"))
    try bench.drop(lines(randomKeys(3)), as: "a")
    try bench.drop("no key\n", as: "b")
    try bench.await { $0.keys.registered == 3 && bench.exists("done/a") && bench.exists("rejected/b") }
    bench.stop(daemon)
    #expect(try done.names() == ["a.receipt.json", "a"])
    #expect(try rejected.names() == ["b.reason.txt", "b"])
  }

  /// As its reason says: mended, and moved back.
  @Test func aRejectedListThatIsMendedKeepsItsName() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try bench.drop("no key\n", as: "a")
    try bench.await { $0.lists.rejected == 1 && bench.exists("rejected/a") }
    try FileManager.default.removeItem(atPath: bench.spool("rejected/a"))
    try bench.drop(lines(randomKeys(2)), as: "a")
    try bench.await { $0.keys.registered == 2 && bench.exists("results/a.csv") && $0.lists.rejected == 0 }
    bench.stop(daemon)
    #expect(try bench.names(in: "rejected").isEmpty)
    #expect(try bench.names(in: "done").sorted() == ["a", "a.receipt.json"])
  }

  @Test func aRejectedListThatIsMendedAndPostedKeepsItsName() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    try bench.drop("no key\n", as: "a")
    try bench.await { $0.lists.rejected == 1 && bench.exists("rejected/a") }
    _ = try bench.client.submit(Array(lines(randomKeys(1)).utf8), name: "a")
    try FileManager.default.removeItem(atPath: bench.spool("rejected/a"))
    _ = try bench.client.submit(Array(lines(randomKeys(2)).utf8), name: "a")
    try bench.await { $0.keys.registered == 3 && bench.exists("results/a.csv") && $0.lists.rejected == 0 }
    bench.stop(daemon)
    #expect(try bench.names(in: "rejected").isEmpty)
    #expect(try bench.names(in: "done").sorted() == ["a", "a.2", "a.2.receipt.json", "a.receipt.json"])
  }

  @Test func aListThatGrewWhileNobodyLookedIsReadBeforeARunIsDone() throws {
    let bench = try Bench()
    for number in 0..<50 { try bench.drop(lines(randomKeys(1)), as: "list\(number)") }
    #expect(try bench.runUntilDone() == 0)
    let grown = try FileHandle(forWritingTo: URL(filePath: bench.spool("done/list49")))
    try grown.seekToEnd()
    try grown.write(contentsOf: Data(lines(randomKeys(2)).utf8))
    try grown.close()
    #expect(try bench.runUntilDone() == 0)
    #expect(try bench.results("list49").count == 3)
  }

  @Test func aLongListIsFiledOnceItIsReadToItsEnd() throws {
    let bench = try Bench()
    let daemon = try bench.start()
    #expect(try bench.run("pause").code == 0)
    try bench.drop(lines(randomKeys(4_500)), as: "a")
    let status = try bench.await { _ in bench.exists("done/a") }
    #expect(status.keys.pending == 4_500)
    bench.stop(daemon)
  }
}

/// The names that files get in a folder by a rename, as the kernel tells them: in order.
private final class Arrivals {
  private let descriptor: Int32

  init(in folder: String) throws {
    descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    try #require(descriptor >= 0 && inotify_add_watch(descriptor, folder, UInt32(IN_MOVED_TO)) >= 0)
  }

  deinit { close(descriptor) }

  /// Those that have come since the last call.
  func names() throws -> [String] {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = read(descriptor, &buffer, buffer.count)
    try #require(count >= 0 || errno == EAGAIN)
    return buffer.withUnsafeBytes { bytes in
      var names: [String] = []
      var offset = 0
      // `struct inotify_event` of inotify(7): the name, padded with NULs, follows its length.
      while offset < count {
        let name = offset + MemoryLayout<inotify_event>.size
        let length = Int(bytes.loadUnaligned(fromByteOffset: name - 4, as: UInt32.self))
        names.append(String(decoding: bytes[name..<name + length].prefix { $0 != 0 }, as: UTF8.self))
        offset = name + length
      }
      return names
    }
  }
}
