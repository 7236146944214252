import Foundation
import Glibc
import Testing

/// Cancelling a list while requests for its keys are in flight.
@Suite struct CancelTests {
  @Test func resultsComeOnceAfterTheLastReply() throws {
    let bench = try Bench(latency: .seconds(1))
    let told = bench.path("told")
    try "#!/bin/sh\ncat >> \(told)\n".write(toFile: bench.path("tell"), atomically: true, encoding: .utf8)
    try #require(chmod(bench.path("tell"), 0o755) == 0)
    try bench.configure("workers: 2\nnotify:\n  command: \(bench.path("tell"))\n")
    try bench.drop(lines(randomKeys(6)), as: "a")
    let daemon = try bench.start()
    try bench.await { $0.keys.inFlight == 2 }
    let cancelled = try bench.run("cancel", "a")
    #expect(cancelled.output.contains(" in flight, open until the reply is known"), "\(cancelled.output)")
    #expect(try bench.run("status", "a", "--wait").code == 1)
    let registered = bench.sandbox.registeredKeys.count
    #expect((1...5).contains(registered) && cancelled.output.hasPrefix("\(6 - registered) key"), "\(cancelled.output)")
    let results = try bench.results("a")
    #expect(results.count { $0.contains(",registered,201,1,") } == registered)
    #expect(results.count { $0.contains(",cancelled,,0,") } == 6 - registered)
    bench.stop(daemon)
    #expect(bench.sandbox.registeredKeys.count == registered)
    #expect(bench.log.split(separator: "\n").count { $0.contains("list cancelled") } == 1)
    #expect(try String(contentsOfFile: told, encoding: .utf8).components(separatedBy: "list_done").count == 2)
  }

  @Test func aReplyThatIsNoOutcomeCancelsTheKey() throws {
    let bench = try Bench(faults: "edge429", latency: .milliseconds(500))
    try bench.drop(lines(randomKeys(6)), as: "a")
    let daemon = try bench.start()
    try bench.await { $0.keys.inFlight > 0 }
    #expect(try bench.run("cancel", "a").code == 0)
    #expect(try bench.run("status", "a", "--wait").code == 1)
    #expect(try bench.results("a").count { $0.contains(",cancelled,") } == 6)
    bench.stop(daemon)
    #expect(bench.sandbox.registeredKeys.isEmpty)
  }
}
