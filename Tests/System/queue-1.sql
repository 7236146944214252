-- A queue as the first version of keyreg wrote it: its schema, and one list with keys in every state. Never edit the schema.
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations (identifier) VALUES ('1');

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

INSERT INTO list (id, name, source, sha256, bytes, format, forced, arrived_at, imported_at, filed_at, entries, accepted,
  owned_open, pending, retrying, registered, failed, cancelled)
  VALUES (1, 'old', x'6f6c64', :sha256, :bytes, 'text', 0, 1764000000000, 1764000000100, 1764000000200, 8, 8, 4, 3, 1, 2, 1, 1);
INSERT INTO key (id, uuid, list_id, state, attempts, http_status, first_attempt_at, finished_at, due_at, error_title, error_detail) VALUES
  (1, x'00000000000040008000000000000001', 1, 2, 1, 201, 1764000001000, 1764000001100, NULL, NULL, NULL),
  (2, x'00000000000040008000000000000002', 1, 2, 3, 200, 1764000001000, 1764000009100, NULL, NULL, NULL),
  (3, x'00000000000040008000000000000003', 1, 3, 1, 404, 1764000001000, 1764000001100, NULL, 'Not Found', 'app key not found'),
  (4, x'00000000000040008000000000000004', 1, 4, 0, NULL, NULL, 1764000001100, NULL, NULL, NULL),
  (5, x'00000000000040008000000000000005', 1, 1, 2, 500, 1764000001000, NULL, 1764000060000, NULL, NULL),
  (6, x'00000000000040008000000000000006', 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL),
  (7, x'00000000000040008000000000000007', 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL),
  (8, x'00000000000040008000000000000008', 1, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE tally SET count = CASE state WHEN 0 THEN 3 WHEN 1 THEN 1 WHEN 2 THEN 2 WHEN 3 THEN 1 ELSE 1 END;
