import GRDB

/// The tables. A migration that has been released is never edited; the next one is added below it.
///
/// - `key`: one row a key, kept forever: "already registered" must be known years later. The integer primary key is
///   the order of import, which keeps inserts at the end of the table; the sixteen bytes have a unique index.
/// - `list`: one row a list, with its counts by state. A list *owns* the keys that it was first to bring.
/// - `also_in`: the other lists of a key that more than one list brought, until those are forgotten. Few rows in practice.
/// - `rejected_list`: the lists in `rejected/`, as they were when they were read.
/// - `earlier_list`: lists of the spool that an earlier queue imported, and that are left to it.
/// - `tally`: how many keys are in each state.
/// - `registrar`: the credentials that registered keys, as keyed hashes; `key.registrar` names one of them.
/// - `minute`: what happened in each minute of the last day.
/// - `notification`: notifications not yet delivered. Few rows.
/// - `memory`: small values that survive a restart, as JSON by name (the pause, what the pacer learned).
///
/// Times are wall-clock milliseconds, except `due_at`, which is on the clock that cannot be set (`SureClock`).
enum Schema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { database in
      try database.execute(
        sql: """
          CREATE TABLE list (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            source BLOB NOT NULL,
            sha256 TEXT NOT NULL,
            bytes INTEGER NOT NULL,
            format TEXT NOT NULL,
            forced INTEGER NOT NULL,
            duplicate_of TEXT,
            arrived_at INTEGER NOT NULL,
            imported_at INTEGER,
            filed_at INTEGER,
            cancelled_at INTEGER,
            finished_at INTEGER,
            results_at INTEGER,
            entries INTEGER NOT NULL DEFAULT 0,
            accepted INTEGER NOT NULL DEFAULT 0,
            already_known INTEGER NOT NULL DEFAULT 0,
            duplicate_in_list INTEGER NOT NULL DEFAULT 0,
            invalid INTEGER NOT NULL DEFAULT 0,
            requeued INTEGER NOT NULL DEFAULT 0,
            owned_open INTEGER NOT NULL DEFAULT 0,
            pending INTEGER NOT NULL DEFAULT 0,
            retrying INTEGER NOT NULL DEFAULT 0,
            registered INTEGER NOT NULL DEFAULT 0,
            failed INTEGER NOT NULL DEFAULT 0,
            cancelled INTEGER NOT NULL DEFAULT 0
          ) STRICT;
          CREATE INDEX list_by_hash ON list (sha256);
          CREATE INDEX list_by_source ON list (source);
          CREATE INDEX list_with_work ON list (name) WHERE owned_open > 0;
          CREATE INDEX list_unfiled ON list (id) WHERE filed_at IS NULL;
          CREATE INDEX list_active ON list (id) WHERE imported_at IS NULL OR pending + retrying > 0;
          CREATE INDEX list_without_results ON list (id) WHERE finished_at IS NOT NULL AND results_at IS NULL;

          CREATE TABLE key (
            id INTEGER PRIMARY KEY,
            uuid BLOB NOT NULL UNIQUE,
            list_id INTEGER NOT NULL REFERENCES list (id),
            state INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            http_status INTEGER,
            first_attempt_at INTEGER,
            finished_at INTEGER,
            due_at INTEGER,
            error_title TEXT,
            error_detail TEXT
          ) STRICT;
          CREATE INDEX key_pending ON key (list_id, id) WHERE state = 0;
          CREATE INDEX key_retrying ON key (due_at) WHERE state = 1;
          CREATE INDEX key_failed ON key (id) WHERE state = 3;
          CREATE INDEX key_by_list ON key (list_id, id);

          CREATE TABLE also_in (
            key_id INTEGER NOT NULL REFERENCES key (id),
            list_id INTEGER NOT NULL REFERENCES list (id),
            PRIMARY KEY (key_id, list_id)
          ) STRICT, WITHOUT ROWID;
          CREATE INDEX also_in_by_list ON also_in (list_id, key_id);

          CREATE TABLE invalid_line (
            list_id INTEGER NOT NULL REFERENCES list (id),
            line INTEGER NOT NULL,
            text TEXT NOT NULL,
            reason TEXT NOT NULL
          ) STRICT;
          CREATE INDEX invalid_line_by_list ON invalid_line (list_id);

          CREATE TABLE tally (
            state INTEGER PRIMARY KEY,
            count INTEGER NOT NULL
          ) STRICT;
          INSERT INTO tally (state, count) VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0);

          CREATE TABLE memory (
            name TEXT PRIMARY KEY,
            value TEXT NOT NULL
          ) STRICT, WITHOUT ROWID;
          """)
    }
    // The latest time that was recorded for a key of the list: it finishes no earlier, whatever the wall clock does.
    migrator.registerMigration("queue-latest") { database in
      try database.execute(sql: "ALTER TABLE list ADD COLUMN latest_at INTEGER NOT NULL DEFAULT 0")
    }
    migrator.registerMigration("replies-1") { database in
      try database.execute(
        sql: """
          ALTER TABLE key ADD COLUMN denied_at INTEGER;
          ALTER TABLE key ADD COLUMN registrar INTEGER;
          CREATE TABLE registrar (id INTEGER PRIMARY KEY, tag BLOB NOT NULL UNIQUE) STRICT;
          """)
    }
    migrator.registerMigration("reading-1") { database in
      try database.execute(
        sql: """
          ALTER TABLE list ADD COLUMN modified_ns INTEGER;
          ALTER TABLE list ADD COLUMN csv_column TEXT;
          ALTER TABLE list ADD COLUMN unterminated INTEGER NOT NULL DEFAULT 0;
          -- Invalid lines are found by reading the list again.
          DROP TABLE invalid_line;
          DROP INDEX list_by_source;

          CREATE TABLE rejected_list (
            name TEXT PRIMARY KEY,
            bytes INTEGER NOT NULL,
            modified_ns INTEGER NOT NULL,
            what TEXT NOT NULL,
            line INTEGER,
            hint TEXT NOT NULL,
            at INTEGER NOT NULL
          ) STRICT, WITHOUT ROWID;
          """)
    }
    migrator.registerMigration("earlier-1") { database in
      try database.execute(sql: "CREATE TABLE earlier_list (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID")
    }
    migrator.registerMigration("terms-1") { database in
      try database.execute(
        sql: """
          ALTER TABLE list ADD COLUMN priority INTEGER NOT NULL DEFAULT 5;
          ALTER TABLE list ADD COLUMN stop_after REAL;
          ALTER TABLE list ADD COLUMN stopped_at INTEGER;
          DROP INDEX list_with_work;
          CREATE INDEX list_by_priority ON list (priority DESC, name) WHERE owned_open > 0;
          """)
    }
    migrator.registerMigration("history-1") { database in
      try database.execute(
        sql: """
          CREATE TABLE minute (
            at INTEGER PRIMARY KEY,
            registered INTEGER NOT NULL,
            failed INTEGER NOT NULL,
            throttled INTEGER NOT NULL,
            other INTEGER NOT NULL,
            p50 INTEGER,
            p90 INTEGER,
            remaining INTEGER,
            state TEXT NOT NULL
          ) STRICT;
          """)
    }
    // The number of the key's last outcome. It stays when the key is tried again, so that the highest number never falls.
    migrator.registerMigration("recorded-1") { database in
      try database.execute(
        sql: """
          ALTER TABLE key ADD COLUMN recorded INTEGER;
          CREATE INDEX key_recorded ON key (recorded) WHERE recorded IS NOT NULL;
          """)
    }
    // Numbers are never reused: deliveries go by them.
    migrator.registerMigration("notification-1") { database in
      try database.execute(
        sql: """
          CREATE TABLE notification (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            way TEXT NOT NULL,
            text TEXT NOT NULL
          ) STRICT;
          """)
    }
    // When it was forgotten: it is no longer listed. Its row stays, because keys name it.
    migrator.registerMigration("forgotten-1") { database in
      try database.execute(sql: "ALTER TABLE list ADD COLUMN forgotten_at INTEGER")
    }
    return migrator
  }
}
