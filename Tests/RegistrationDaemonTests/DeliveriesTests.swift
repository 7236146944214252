import Dispatch
import Logging
import RegistrationQueue
import Synchronization
import TestSupport
import Testing

@testable import RegistrationDaemon

/// How what is due is delivered, once for each start.
struct DeliveriesTests {
  private let folder: TemporaryFolder
  private let queue: RegistrationQueue

  init() throws {
    folder = try TemporaryFolder()
    queue = try RegistrationQueue(path: folder.path("queue.sqlite"))
  }

  /// Whoever is told; fails as often as it is to.
  private final class Listener: Sendable {
    private let got = Mutex<[String]>([])
    private let arrived = DispatchSemaphore(value: 0)
    private let fails: Bool

    init(fails: Bool = false) { self.fails = fails }

    func take(_ text: String) -> String? {
      got.withLock { $0.append(text) }
      arrived.signal()
      return fails ? "it fails" : nil
    }

    var told: [String] { got.withLock { $0 } }

    func wait(for count: Int) -> [String] {
      for _ in 0..<count { #expect(arrived.wait(timeout: .now() + 30) == .success) }
      return told
    }
  }

  private func deliveries(to listener: Listener?) -> Deliveries {
    Deliveries(by: .url, from: queue, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }) {
      listener.map { listener in { listener.take($0) } }
    }
  }

  private func keep(_ texts: String...) throws { _ = try queue.keep(texts.map { DueNotification($0, by: .url) }) }
  private var isEmpty: Bool { get throws { try queue.nextNotification(by: .url, after: 0) == nil } }
  private static var soon: Double { MonotonicClock.now() + 30 }

  @Test func whatIsDueIsDeliveredInOrderAndForgotten() throws {
    let listener = Listener()
    let deliveries = deliveries(to: listener)
    try keep("1", "2")
    deliveries.look()
    #expect(listener.wait(for: 2) == ["1", "2"])
    try keep("3")
    deliveries.look()
    #expect(listener.wait(for: 1) == ["1", "2", "3"])
    deliveries.finish(by: Self.soon)
    #expect(try isEmpty)
  }

  @Test func whatFailsAtTheEndIsLeftToTheNextStart() throws {
    let failing = Listener(fails: true)
    let first = deliveries(to: failing)
    try keep("1", "2")
    first.look()
    #expect(failing.wait(for: 1) == ["1"])
    // A delay is cut short: it may be tried once more.
    first.finish(by: Self.soon)
    #expect(Set(failing.told) == ["1"] && failing.told.count <= 2)
    let listener = Listener()
    let second = deliveries(to: listener)
    second.look()
    #expect(listener.wait(for: 2) == ["1", "2"])
    second.finish(by: Self.soon)
    #expect(try isEmpty)
  }

  @Test func whatNobodyIsToldAnyMoreIsForgotten() throws {
    try keep("1")
    let deliveries = deliveries(to: nil)
    deliveries.look()
    deliveries.finish(by: Self.soon)
    #expect(try isEmpty)
  }

  @Test func whatTheQueueCannotKeepIsDeliveredAllTheSame() throws {
    let listener = Listener()
    let deliveries = deliveries(to: listener)
    deliveries.addUnkept([DueNotification("other", by: .command), DueNotification("disk", by: .url)])
    #expect(listener.wait(for: 1) == ["disk"])
    deliveries.finish(by: Self.soon)
  }
}
