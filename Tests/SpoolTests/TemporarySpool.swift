import Foundation
import Glibc
import Spool
import Testing

/// A spool in a folder of its own, deleted with it.
final class TemporarySpool: Sendable {
  let spool: SpoolDirectory

  init() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("keyreg-spool-\(UUID())/nested/spool").path
    spool = SpoolDirectory(path: path)
    try spool.prepare()
  }

  deinit {
    let root = URL(fileURLWithPath: spool.path).deletingLastPathComponent().deletingLastPathComponent()
    // A folder that stays in the temporary directory harms no test.
    try? FileManager.default.removeItem(at: root)
  }

  func path(_ place: SpoolDirectory.Subfolder, _ name: String) -> String {
    "\(spool.path(of: place))/\(name)"
  }

  /// Writes a file as somebody without `keyreg submit` would: in place.
  func write(_ text: String, to name: String, in place: SpoolDirectory.Subfolder = .incoming) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path(place, name)))
  }

  func append(_ text: String, to name: String, in place: SpoolDirectory.Subfolder = .incoming) throws {
    let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path(place, name)))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data(text.utf8))
    try handle.close()
  }

  /// Drops a whole list as `keyreg submit` does. Returns its name.
  @discardableResult
  func drop(_ text: String, as name: ListName) throws -> ListName {
    let drop = try spool.beginDrop()
    try drop.write(Array(text.utf8))
    return try drop.commit(as: name)
  }

  func text(_ place: SpoolDirectory.Subfolder, _ name: String) throws -> String {
    try String(contentsOf: URL(fileURLWithPath: path(place, name)), encoding: .utf8)
  }

  func names(_ place: SpoolDirectory.Subfolder) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: spool.path(of: place)).sorted()
  }

  func open(_ name: String, in place: SpoolDirectory.Subfolder = .reading) throws(SpoolError) -> SpoolFile {
    try spool.open(FileName(name), in: place, maximumSize: 1 << 30)
  }
}
