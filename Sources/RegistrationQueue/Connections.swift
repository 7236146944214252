import GRDB

/// How connections to a queue are set up.
extension RegistrationQueue {
  static var configuration: Configuration {
    var configuration = Configuration()
    configuration.qos = .default
    configuration.busyMode = .timeout(10)
    // One for each dispatch queue of the daemon that reads, so that none waits for another.
    configuration.maximumReaderCount = 8
    configuration.label = "queue"
    return configuration
  }

  /// Readers go through the queue from one end to the other and seldom meet a page twice, so each has a cache of 512 KiB.
  static var poolConfiguration: Configuration {
    var configuration = configuration
    configuration.prepareDatabase { database in
      if database.configuration.readonly { try database.execute(sql: "PRAGMA cache_size = -512") }
    }
    return configuration
  }

  /// Prepares the writer, after GRDB has chosen `synchronous=NORMAL`, which survives a kill but not a power cut.
  static func prepareWriter(_ database: Database) throws {
    try database.execute(sql: "PRAGMA synchronous = FULL")
    try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
    // Four MiB. An import, sorted by id, meets each page of the index once in a batch: a larger cache does not help it.
    try database.execute(sql: "PRAGMA cache_size = -4096")
  }
}
