package import Registration

/// `results/NAME.csv` in the making: the outcome of every key of a list, streamed, seen by nobody before it is whole.
package final class ResultsFile {
  private let file: NewFile
  private let name: ListName

  init(_ name: ListName, in folder: Folder) throws(SpoolError) {
    file = try NewFile(in: folder)
    self.name = name
    try file.write(Outcome.csvHeader.utf8)
  }

  package func append(_ outcome: Outcome) throws(SpoolError) {
    try file.write(outcome.csvLine.utf8)
  }

  /// Brings the file to the disk under its name. An earlier one of the same list is replaced: a retry may have changed
  /// outcomes. A file that is not finished vanishes.
  package func finish() throws(SpoolError) {
    try file.replace(name.resultsFileName)
  }
}
