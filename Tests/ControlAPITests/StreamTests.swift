import ControlAPI
import Registration
import Testing

/// Answers that take their time: outcomes of many keys, and events.
@Suite struct StreamTests {
  @Test func outcomesAreReadOnlyAsFastAsTheClientTakesThem() throws {
    try withServer { running throws in
      running.backend.add(list: "a", outcomes(60_000))
      let connection = try running.wire()
      try connection.send("GET /v1/outcomes HTTP/1.1\r\nHost: h\r\n\r\n")
      _ = try connection.head()
      let first = try connection.chunk()
      #expect(first?.split(separator: "\n").isEmpty == false)
      // Others are served meanwhile, and no 60 pages are read ahead for a client that has taken one.
      for _ in 0..<50 { #expect(try running.client.status().keys.total == 60_000) }
      #expect(running.backend.pages < 20)
      var lines = first?.split(separator: "\n").count ?? 0
      while let chunk = try connection.chunk(), !chunk.isEmpty { lines += chunk.split(separator: "\n").count }
      #expect(lines == 60_000)
      #expect(running.backend.pages == 60)
    }
  }

  @Test func aClientThatGoesAwayEndsTheStream() throws {
    try withServer { running throws in
      running.backend.add(list: "a", outcomes(60_000))
      do {
        let connection = try running.wire()
        try connection.send("GET /v1/outcomes HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try connection.chunk()
      }
      var pages = -1
      eventually("no more pages are read") {
        defer { pages = running.backend.pages }
        return pages == running.backend.pages && (try? running.client.status()) != nil
      }
      #expect(running.backend.pages < 120)
    }
  }

  @Test func aStatusComesAtOnceAndAfterEveryChange() throws {
    try withServer { running throws in
      let connection = try running.wire()
      try connection.send("GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(try connection.head()?.contains("text/event-stream") == true)
      let first = try connection.chunk()
      #expect(first?.hasPrefix("event: status\ndata: {") == true)
      #expect(first?.hasSuffix("}\n\n") == true)
      running.backend.add(list: "a", outcomes(7))
      #expect(try connection.chunk()?.contains("\"total\":7") == true)
    }
  }

  @Test func eventsComeAtMostFourTimesASecondAndTheLastIsNeverLeftOut() throws {
    try withServer { running throws in
      let connection = try running.wire()
      try connection.send("GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n")
      _ = try connection.head()
      _ = try connection.chunk()
      let start = ContinuousClock.now
      var events = 0
      var last = ""
      for number in 1...500 {
        running.backend.add(list: "\(number)", outcomes(1, list: "\(number)"))
      }
      while !last.contains("\"total\":500}") || events < 3 {
        last = try #require(try connection.chunk())
        events += 1
        // Changes keep coming for a while, so that there is something to hold back.
        if events < 3 { running.backend.change() }
      }
      let taken = start.duration(to: .now)
      #expect(taken >= .milliseconds(250) * (events - 1))
    }
  }

  @Test func whatIsWaitedForIsCountedDownThoughNothingChanges() throws {
    try withServer { running throws in
      running.backend.wait()
      let connection = try running.wire()
      try connection.send("GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n")
      _ = try connection.head()
      for _ in 0..<3 { #expect(try connection.chunk()?.hasPrefix("event: status") == true) }
    }
  }

  @Test func aSilentStreamSaysThatItIsStillThere() throws {
    try withServer(
      { $0.keepAlive = .milliseconds(30) },
      body: { running throws in
        let connection = try running.wire()
        try connection.send("GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try connection.head()
        _ = try connection.chunk()
        #expect(try connection.chunk()?.hasPrefix(":") == true)
        #expect(try connection.chunk()?.hasPrefix(":") == true)
        #expect(running.backend.statusCount == 1)
      })
  }

  @Test func stoppingEndsStreamsIdleConnectionsAndClientsThatDoNotRead() throws {
    try withTemporaryFolder { folder in
      let backend = MemoryBackend()
      backend.add(list: "a", outcomes(60_000))
      let path = folder + "/control.sock"
      let server = try ControlServer(.init(socketPath: path), backend: backend, logger: silent)
      try server.start()
      let events = try WireConnection(socket: path)
      try events.send("GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n")
      _ = try events.head()
      let silent = try WireConnection(socket: path)
      let idle = try WireConnection(socket: path)
      #expect(try idle.request("GET", "/v1/status").status == 200)
      let deaf = try WireConnection(socket: path)
      try deaf.send("GET /v1/outcomes HTTP/1.1\r\nHost: h\r\n\r\n")
      eventually("the stream has begun") { backend.pages > 0 }
      let upload = try WireConnection(socket: path)
      try upload.send("POST /v1/lists HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
      let taken = ContinuousClock().measure { server.stop() }
      #expect(taken < .seconds(4))
      while let chunk = try events.chunk() { #expect(!chunk.isEmpty) }
      #expect(try idle.response() == nil)
      #expect(try silent.response() == nil)
      #expect(throws: WireConnection.Failure.self) { try WireConnection(socket: path) }
      #expect(backend.body(of: "unnamed") == nil)
      server.stop()
    }
  }

  @Test func aLineIsWhatTheDocumentsCodingMakesOfIt() throws {
    try withServer { running throws in
      let odd = ["", "plain", "\"quoted\\\" / \u{8}\t\n\u{c}\r\u{0}\u{1f}\u{7f}", "ümlaut \u{2028}✓ 🙂", "</script>"]
      let moment = Timestamp(milliseconds: 1_764_000_000_123)
      let all = odd.enumerated().map { number, text in
        Outcome(
          id: id(number), state: .failed, httpStatus: number == 0 ? nil : 404, attempts: number,
          firstAttemptAt: number == 1 ? nil : moment, finishedAt: moment, errorTitle: number == 2 ? nil : text,
          errorDetail: text, list: text)
      }
      running.backend.add(list: "a", all)
      var bytes: [UInt8] = []
      try running.client.outcomes(OutcomeQuery()) { piece in
        bytes += piece
        return true
      }
      let expected = try all.flatMap { try DocumentCoding.encode($0) + [UInt8(ascii: "\n")] }
      #expect(String(decoding: bytes, as: UTF8.self) == String(decoding: expected, as: UTF8.self))
    }
  }

  @Test func streamsLeaveRoomForShortAnswers() throws {
    try withServer(
      { $0.longExchanges = 2 },
      body: { running throws in
        var streams: [WireConnection] = []
        for _ in 0..<2 {
          let stream = try running.wire()
          try stream.send("GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n")
          #expect(try stream.head()?.contains(" 200 ") == true)
          streams.append(stream)
        }
        for target in ["/v1/events", "/v1/outcomes"] {
          let refused = try running.wire().request("GET", target)
          #expect(refused.status == 503 && refused.body.contains("\"code\":\"unavailable\""))
          #expect(refused.body.contains("\"hint\":\"end one of them"))
        }
        #expect(try running.client.status().state == .idle)
        streams = []
        // The places are free again once the server has noticed that the clients are gone.
        eventually("a stream begins") {
          running.backend.change()
          return (try? running.wire().request("GET", "/v1/outcomes").status) == 200
        }
      })
  }

  @Test func aFullTableEndsTheConnectionThatHasRestedLongest() throws {
    try withServer(
      { $0.connections = 4 },
      body: { running throws in
        let stream = try running.wire()
        try stream.send("GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try stream.head()
        _ = try stream.chunk()
        let silent = try running.wire()
        try silent.send("GET /v1/status HTTP/1.1\r\n")
        let asked = try running.wire()
        let fresh = try running.wire()
        #expect(try asked.request("GET", "/healthz").status == 200)
        // One more than fits: the silent client is disconnected, although it has begun a request.
        #expect(try running.wire().request("GET", "/v1/status").status == 200)
        #expect(try silent.response() == nil)
        #expect(try fresh.request("GET", "/v1/status").status == 200)
        #expect(try asked.request("GET", "/v1/status").status == 200)
        running.backend.change()
        #expect(try stream.chunk()?.hasPrefix("event: status") == true)
      })
  }

  /// Each of them waits for a client that does not go on; only streams may last.
  @Test func clientsInTheMiddleOfACommandKeepNobodyOut() throws {
    try withServer(
      { $0.connections = 4 },
      body: { running throws in
        let stream = try running.wire()
        try stream.send("GET /v1/events HTTP/1.1\r\nHost: h\r\n\r\n")
        _ = try stream.head()
        _ = try stream.chunk()
        var stuck: [WireConnection] = []
        for _ in 0..<8 {
          let client = try running.wire()
          try client.send(
            "POST /v1/pause HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n{")
          #expect(try client.response()?.status == 100)
          stuck.append(client)
        }
        for _ in 0..<4 { #expect(try running.client.status().state == .idle) }
        running.backend.change()
        #expect(try stream.chunk()?.hasPrefix("event: status") == true)
        // The oldest went first; the newest can still say what it wants.
        #expect(try stuck[0].response() == nil)
        try stuck[7].send("       }")
        #expect(try stuck[7].response()?.status == 200)
      })
  }

  @Test func fewLargeCommandsAreKeptInMemoryAtATime() throws {
    try withServer { running throws in
      let rest = String(repeating: " ", count: 100_000)
      let large = try (0..<16).map { _ in
        let client = try running.wire()
        try client.send("POST /v1/retry HTTP/1.1\r\nHost: h\r\nContent-Length: 100002\r\n\r\n{\(rest)")
        return client
      }
      // Once so much of each has been read.
      try eventually("one more is refused") {
        try running.wire().request("POST", "/v1/retry", body: "{\(rest)}").status == 503
      }
      for client in large {
        try client.send("}")
        #expect(try client.response()?.status == 200)
      }
      #expect(try running.wire().request("POST", "/v1/retry", body: "{\(rest)}").status == 200)
    }
  }
}
