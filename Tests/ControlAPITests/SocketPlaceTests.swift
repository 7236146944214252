import ControlAPI
import Dispatch
import FoundationEssentials
import Glibc
import Synchronization
import Testing

/// Where the socket appears, with which permissions, and which other files and processes it yields to.
@Suite struct SocketPlaceTests {
  private static func server(_ path: String, mode: mode_t = 0o660) throws -> ControlServer {
    var configuration = ControlServer.Configuration(socketPath: path)
    configuration.socketMode = mode
    return try ControlServer(configuration, backend: MemoryBackend(), logger: silent)
  }

  private static func mode(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode : nil
  }

  private static func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  @Test(arguments: [mode_t(0o600), 0o660, 0o666])
  func theSocketHasTheModeThatIsConfigured(_ mode: mode_t) throws {
    try withTemporaryFolder { folder in
      let server = try Self.server(folder + "/s", mode: mode)
      try server.start()
      #expect(Self.mode(folder + "/s") == S_IFSOCK | mode)
      #expect(try Self.names(in: folder) == ["s"])
      server.stop()
      #expect(try Self.names(in: folder).isEmpty)
    }
  }

  @Test func aSocketThatWasRemovedIsCreatedAgainAndAnothersFileIsLeft() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/s"
      let server = try Self.server(path, mode: 0o600)
      #expect(try !server.replaceLostSocket())
      try server.start()
      #expect(try !server.replaceLostSocket())
      try #require(unlink(path) == 0)
      #expect(try server.replaceLostSocket())
      #expect(Self.mode(path) == S_IFSOCK | 0o600)
      #expect(try ControlClient(socket: path).status().pid == 4242)
      // Another's, which nobody listens on any more, and one that somebody does.
      try #require(unlink(path) == 0)
      do { _ = try Listener(path: path) }
      #expect(try server.replaceLostSocket())
      #expect(try ControlClient(socket: path).status().pid == 4242)
      try #require(unlink(path) == 0)
      do {
        let other = try Listener(path: path)
        #expect(throws: ControlServerError.self) { try server.replaceLostSocket() }
        withExtendedLifetime(other) {}
      }
      try #require(unlink(path) == 0 && mkdir(path, 0o700) == 0)
      #expect(throws: ControlServerError.self) { try server.replaceLostSocket() }
      server.stop()
      #expect(try Self.names(in: folder) == ["s"])
      #expect(try !server.replaceLostSocket())
    }
  }

  /// The socket may lie in the state directory, which the daemon has locked.
  @Test func aFolderThatThisProcessHasLockedIsNotLockedAgain() throws {
    try withTemporaryFolder { folder in
      let lock = open(folder, O_RDONLY | O_DIRECTORY)
      defer { close(lock) }
      try #require(flock(lock, LOCK_EX | LOCK_NB) == 0)
      let configuration = ControlServer.Configuration(socketPath: folder + "/s", lockedFolder: folder + "/.")
      let server = try ControlServer(configuration, backend: MemoryBackend(), logger: silent)
      try server.start()
      #expect(try Self.names(in: folder) == ["s"])
      server.stop()
      #expect(try Self.names(in: folder).isEmpty)
    }
  }

  @Test func aPathOf107BytesIsServedAndALongerOneIsRefused() throws {
    try withTemporaryFolder { folder in
      let longest = folder + "/" + String(repeating: "x", count: 107 - folder.utf8.count - 1)
      let server = try Self.server(longest)
      try server.start()
      #expect(try ControlClient(socket: longest).status().pid == 4242)
      server.stop()
      let error = #expect(throws: ControlServerError.self) { try Self.server(longest + "x") }
      #expect(error?.message.contains("108 bytes") == true)
    }
  }

  @Test(arguments: ["", "/", "/tmp/", ".", "/tmp/..", "a\u{0}b"])
  func whatCannotNameASocketIsRefused(_ path: String) {
    #expect(throws: ControlServerError.self) { try Self.server(path) }
  }

  @Test func aSocketThatNobodyListensOnIsReplaced() throws {
    try withTemporaryFolder { folder in
      _ = try Listener(path: folder + "/s")
      #expect(Self.mode(folder + "/s") != nil)
      let server = try Self.server(folder + "/s")
      try server.start()
      #expect(try ControlClient(socket: folder + "/s").status().pid == 4242)
      server.stop()
    }
  }

  @Test func aSocketThatSomebodyListensOnIsLeftAlone() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/s"
      let listener = try Listener(path: path)
      let error = #expect(throws: ControlServerError.self) { try Self.server(path).start() }
      #expect(error?.isInUse == true)
      #expect(Self.mode(path) != nil)
      #expect(try Self.names(in: folder) == ["s"])
      listener.end()
    }
  }

  @Test func aSecondDaemonIsRefusedAndTheFirstGoesOn() throws {
    try withServer { running throws in
      let second = try Self.server(running.socket)
      let error = #expect(throws: ControlServerError.self) { try second.start() }
      #expect(error?.isInUse == true)
      second.stop()
      #expect(try running.client.status().pid == 4242)
    }
  }

  @Test(arguments: 1...20)
  func ofManyThatStartAtOnceExactlyOneWins(_ round: Int) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/s"
      _ = try Listener(path: path)
      let servers = try (0..<6).map { _ in try Self.server(path) }
      let won = Mutex(0)
      let group = DispatchGroup()
      for server in servers {
        DispatchQueue(label: "start").async(group: group) { @Sendable in
          do {
            try server.start()
            won.withLock { $0 += 1 }
          } catch {
            #expect((error as? ControlServerError)?.isInUse == true, "\(error)")
          }
        }
      }
      group.wait()
      #expect(won.withLock { $0 } == 1)
      #expect(try ControlClient(socket: path).status().pid == 4242)
      #expect(try Self.names(in: folder) == ["s"])
      for server in servers { server.stop() }
      #expect(try Self.names(in: folder).isEmpty)
    }
  }

  @Test func whatIsNoSocketIsNeverReplaced() throws {
    try withTemporaryFolder { folder in
      let file = folder + "/file"
      #expect(FileManager.default.createFile(atPath: file, contents: Data("precious".utf8)))
      #expect(symlink(file, folder + "/link") == 0)
      for path in [file, folder + "/link"] {
        let error = #expect(throws: ControlServerError.self) { try Self.server(path).start() }
        #expect(error?.message.contains("is not a socket") == true)
      }
      #expect(FileManager.default.contents(atPath: file) == Data("precious".utf8))
    }
  }

  @Test func aFolderThatIsNotThereIsNamed() throws {
    try withTemporaryFolder { folder in
      let error = #expect(throws: ControlServerError.self) { try Self.server(folder + "/missing/s").start() }
      #expect(error?.message.contains(folder + "/missing") == true)
    }
  }

  @Test func stoppingLeavesASocketAloneThatIsNotItsOwn() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/s"
      let server = try Self.server(path)
      try server.start()
      #expect(unlink(path) == 0)
      let other = try Listener(path: path)
      server.stop()
      #expect(Self.mode(path) != nil)
      other.end()
    }
  }
}
