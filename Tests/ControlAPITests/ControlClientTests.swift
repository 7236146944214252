import ControlAPI
import FoundationEssentials
import Glibc
import Registration
import Testing

/// Every call of the client against a real server on a real socket.
@Suite struct ControlClientTests {
  @Test func statusAndListsComeBackAsTheDaemonHasThem() throws {
    try withServer { running throws in
      running.backend.add(list: "team a/50%.csv", outcomes(3))
      running.backend.add(list: "b", outcomes(2, state: .failed, list: "b"))
      let status = try running.client.status()
      #expect(status.keys.total == 5)
      #expect(status.state == .idle)
      #expect(status.startedAt == running.backend.startedAt)
      #expect(try running.client.lists().lists.map(\.name) == ["team a/50%.csv", "b"])
      #expect(try running.client.list("b").keys.failed == 2)
    }
  }

  @Test func listsComeInPages() throws {
    try withServer { running throws in
      for number in 1...2_500 {
        running.backend.add(list: "\(number)", outcomes(1, state: number % 5 == 0 ? .pending : .registered))
      }
      let first = try running.client.lists()
      #expect(first.lists.count == 1_000 && first.next == 1_000)
      let short = try running.client.lists(ListQuery(after: 2_490, limit: 10))
      #expect(short.lists.map(\.name) == (2_491...2_500).map { "\($0)" } && short.next == nil)
      for (isActive, count) in [(nil, 2_500), (true, 500), (false, 2_000)] {
        var names: [String] = []
        var query: ListQuery? = ListQuery(isActive: isActive)
        while let asked = query {
          let page = try running.client.lists(asked)
          names += page.lists.map(\.name)
          query = page.next.map { ListQuery(isActive: isActive, after: $0) }
        }
        #expect(names.count == count && names == names.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) })
      }
      let connection = try running.wire()
      for query in ["limit=0", "limit=1001", "limit=x", "after=-1", "active=maybe", "page=2"] {
        #expect(try connection.request("GET", "/v1/lists?\(query)").status == 400)
      }
    }
  }

  @Test(arguments: ["plain", "with space", "ümlaut ✓", "a%2Fb", "q?x=1&y", "...", "#hash", "+plus+"])
  func anyListNameCanBeAskedFor(_ name: String) throws {
    try withServer { running throws in
      running.backend.add(list: name, outcomes(1, state: .pending, list: name))
      #expect(try running.client.list(name).name == name)
      #expect(try running.client.cancel(name) == CancelResult(cancelled: 1))
    }
  }

  @Test func refusalsCarryStatusCodeAndMessage() throws {
    try withServer { running throws in
      running.backend.add(list: "done", outcomes(1))
      running.backend.refuseReload(ControlError(.unprocessable, "keyreg.yaml:3:5: workers is 1 to 64"))
      let refusals: [(Int, String, () throws -> Void)] = [
        (404, "not_found", { _ = try running.client.list("nope") }),
        (404, "not_found", { _ = try running.client.key(id(9)) }),
        (404, "not_found", { try running.client.outcomes(OutcomeQuery(list: "nope")) { _ in true } }),
        (409, "conflict", { _ = try running.client.cancel("done") }),
        (422, "unprocessable", { _ = try running.client.reload() }),
        (422, "unprocessable", { _ = try running.client.submit([]) }),
      ]
      for (status, code, call) in refusals {
        let error = #expect(throws: ControlClientError.self) { try call() }
        guard case .refused(status, code, let message, _) = error else {
          Issue.record("\(String(describing: error)) is not \(status)")
          continue
        }
        #expect(!message.isEmpty)
      }
      let error = #expect(throws: ControlClientError.self) { try running.client.reload() }
      #expect(error?.description == "keyreg.yaml:3:5: workers is 1 to 64")
    }
  }

  @Test func commandsDoWhatTheySay() throws {
    try withServer { running throws in
      running.backend.add(list: "a", outcomes(4, state: .failed))
      let paused = try running.client.pause(reason: "maintenance “until 5”")
      #expect(paused.state == .paused)
      #expect(paused.reason == "maintenance “until 5”")
      #expect(try running.client.resume().state == .idle)
      #expect(try running.client.pause(reason: nil).reason == nil)
      #expect(try running.client.retry(RetryRequest(keys: [id(1), id(2)])) == RetryResult(retried: 2))
      #expect(try running.client.retry(RetryRequest(list: "other")) == RetryResult(retried: 0))
      #expect(try running.client.retry(RetryRequest(list: "a")) == RetryResult(retried: 2))
      #expect(try running.client.reload() == ReloadResult(changed: ["workers"]))
      #expect(try running.client.key(id(1)).state == .pending)
      #expect(try running.client.health() == HealthDocument(healthy: true))
      running.backend.set(healthy: false)
      #expect(try running.client.health() == HealthDocument(healthy: false, reason: "stuck"))
      #expect(try running.client.metrics().contains("# TYPE keyreg_keys gauge\n"))
    }
  }

  @Test func aListOfAFewMegabytesArrivesAsItWasSent() throws {
    try withServer { running throws in
      let list = (0..<100_000).flatMap { Array("\(id($0))\n".utf8) }
      let receipt = try running.client.submit(list, name: "large list", force: true)
      #expect(running.backend.body(of: "large list") == list)
      #expect(String(decoding: receipt, as: UTF8.self).contains("\"forced\":true"))
      #expect(String(decoding: receipt, as: UTF8.self).contains("\"bytes\":3700000"))
    }
  }

  @Test func aListThatIsTooLargeIsRefused() throws {
    try withServer(
      { $0.listLimit = { 1000 } },
      body: { running throws in
        #expect(try running.client.submit([UInt8](repeating: 0x61, count: 1000), name: "fits").isEmpty == false)
        let error = #expect(throws: ControlClientError.self) {
          try running.client.submit([UInt8](repeating: 0x61, count: 1001), name: "larger")
        }
        guard case .refused(413, "too_large", _, _) = error else {
          Issue.record("\(String(describing: error))")
          return
        }
        #expect(running.backend.body(of: "larger") == nil)
      })
  }

  @Test(arguments: ["jsonl", "csv"])
  func outcomesAreStreamedInOrder(_ format: String) throws {
    try withServer { running throws in
      let all = outcomes(12_345)
      running.backend.add(list: "a", all)
      var bytes: [UInt8] = []
      try running.client.outcomes(OutcomeQuery(), format: format) { piece in
        bytes += piece
        return true
      }
      let text = String(decoding: bytes, as: UTF8.self)
      if format == "csv" {
        #expect(text == Outcome.csvHeader + all.map(\.csvLine).joined())
      } else {
        let wanted = try all.map { String(decoding: try DocumentCoding.encode($0), as: UTF8.self) }
        #expect(text.split(separator: "\n").map(String.init) == wanted)
      }
    }
  }

  @Test func outcomesCanBeNarrowedAndMayBeNone() throws {
    try withServer { running throws in
      running.backend.add(list: "a", outcomes(3) + outcomes(2, state: .failed))
      var lines = 0
      try running.client.outcomes(OutcomeQuery(list: "a", state: .failed)) { piece in
        lines += piece.count { $0 == UInt8(ascii: "\n") }
        return true
      }
      #expect(lines == 2)
      try running.client.outcomes(OutcomeQuery(state: .cancelled)) { _ in
        Issue.record("there is nothing to tell")
        return true
      }
    }
  }

  @Test func aStreamThatBreaksOffIsNotTakenForAWholeOne() throws {
    try withServer { running throws in
      running.backend.add(list: "a", outcomes(5000))
      running.backend.break(afterPages: 3)
      let error = #expect(throws: ControlClientError.self) {
        try running.client.outcomes(OutcomeQuery()) { _ in true }
      }
      guard case .cutOff = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test func aReaderCanStopInTheMiddle() throws {
    try withServer { running throws in
      running.backend.add(list: "a", outcomes(50_000))
      var calls = 0
      try running.client.outcomes(OutcomeQuery()) { _ in
        calls += 1
        return false
      }
      #expect(calls == 1)
    }
  }

  @Test func eventsTellOfEveryChangeUntilTheReaderHasEnough() throws {
    try withServer { running throws in
      var states: [StatusDocument.State] = []
      try running.client.events { status in
        states.append(status.state)
        if states.count == 1 {
          // From another connection, while this one waits.
          #expect(throws: Never.self) { try running.client.pause(reason: nil) }
        }
        return status.state != .paused
      }
      #expect(states.first == .idle)
      #expect(states.last == .paused)
    }
  }

  @Test func nobodyListeningIsNotRunning() throws {
    try withTemporaryFolder { folder in
      let missing = folder + "/control.sock"
      #expect(throws: ControlClientError.notRunning(socket: missing)) { try ControlClient(socket: missing).status() }
      let stale = folder + "/stale.sock"
      _ = try Listener(path: stale)
      #expect(throws: ControlClientError.notRunning(socket: stale)) { try ControlClient(socket: stale).status() }
    }
  }

  @Test func aPathThatCannotNameASocketIsUnreachable() {
    let error = #expect(throws: ControlClientError.self) {
      try ControlClient(socket: "/tmp/" + String(repeating: "x", count: 120)).status()
    }
    guard case .unreachable = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func silenceIsATimeOut() throws {
    try withTemporaryFolder { folder in
      let listener = try Listener(path: folder + "/s")
      #expect(throws: ControlClientError.timedOut) {
        try ControlClient(socket: folder + "/s", timeout: .milliseconds(50)).status()
      }
      listener.end()
    }
  }

  @Test func aCrowdBeforeTheSocketIsWaitedFor() throws {
    try withTemporaryFolder { folder in
      let listener = try Listener(path: folder + "/s")
      let client = ControlClient(socket: folder + "/s", timeout: .milliseconds(200))
      // As many as the system lets wait.
      let crowd = try (0..<9).map { _ in try WireConnection(socket: folder + "/s") }
      let begun = ContinuousClock.now
      #expect(throws: ControlClientError.timedOut) { try client.health() }
      #expect(ContinuousClock.now - begun >= .milliseconds(200))
      listener.begin("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n{\"healthy\":true,\"reason\":\"ok\"}")
      for waiting in crowd { try waiting.send("x") }
      #expect(try ControlClient(socket: folder + "/s", timeout: .seconds(20)).health().healthy)
      listener.end()
    }
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", false), ("SSH-2.0\r\n", false),
    ("HTTP/1.1 500 X\r\nContent-Length: 3\r\n\r\nhey", false),
    ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", true), ("", true),
  ])
  func whatIsNoAnswerIsMalformedAndHalfOfOneIsCutOff(_ answer: String, isCutOff: Bool) throws {
    try withTemporaryFolder { folder in
      let listener = try Listener(path: folder + "/s", answer: answer)
      let error = #expect(throws: ControlClientError.self) { try ControlClient(socket: folder + "/s").status() }
      switch error {
      case .malformed where !isCutOff, .cutOff where isCutOff: break
      default: Issue.record("\(String(describing: error))")
      }
      listener.end()
    }
  }
}
