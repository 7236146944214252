package import Registration

/// A new `results/NAME.csv`: the outcome of every key of a list, streamed, and not visible before it is complete.
package final class ResultsFile {
  private let file: NewFile
  private let name: ListName

  init(_ name: ListName, columns: [String], in folder: Folder) throws(SpoolError) {
    file = try NewFile(in: folder)
    self.name = name
    try file.write(Outcome.csvHeader(with: columns).utf8)
  }

  package func append(_ outcome: Outcome) throws(SpoolError) {
    try file.write(outcome.csvLine.utf8)
  }

  /// - Parameter fields: Those of the list's own columns.
  package func append(_ outcome: Outcome, _ fields: [String]) throws(SpoolError) {
    try file.write(outcome.csvLine(with: fields).utf8)
  }

  /// Has the disk begin to write the file, which is complete. `sync` then waits less.
  package func beginSync() throws(SpoolError) {
    try file.beginSync()
  }

  /// Writes the files to disk and gives each its name, which is on disk after `SpoolDirectory.syncResults`. It replaces
  /// an earlier file of the same list, since a retry may have changed outcomes. A file that is not finished is deleted.
  ///
  /// Returns what is wrong with each, nil for one that is in place.
  package static func finish(_ results: [ResultsFile]) -> [SpoolError?] {
    zip(results, NewFile.sync(results.map(\.file))).map { result, error in
      if let error { return error }
      do throws(SpoolError) {
        try result.file.rename(to: result.name.resultsFileName)
        return nil
      } catch {
        return error
      }
    }
  }
}
