/// Names that are ignored in `incoming/`: files that an editor, a browser or an uploader has not finished, and files
/// that cannot be lists. The file is taken once it is renamed to its real name.
extension FileName {
  /// Endings, in any letter case, of unfinished files from downloaders, uploaders and editors.
  private static let unfinished: [[UInt8]] = [
    ".tmp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".opdownload", ".aria2", ".!ut", ".gstmp",
    ".uploading", ".inprogress", ".incomplete", ".swp", ".swo", ".swx",
  ].map { Array($0.utf8) }

  /// Names that vim and Windows leave behind in folders.
  private static let litter: Set<[UInt8]> = Set(["4913", "thumbs.db", "desktop.ini"].map { Array($0.utf8) })

  /// Why a file of this name is ignored, as the end of a sentence; nil for a name that a list can have.
  package var reasonToIgnore: String? {
    guard let first = bytes.first, let last = bytes.last else { return "it has no name" }
    if first == UInt8(ascii: ".") { return "its name begins with a dot" }
    if bytes.starts(with: "~$".utf8) { return "its name begins with ~$, like an office program's lock file" }
    if last == UInt8(ascii: "~") { return "its name ends in ~, like an editor's backup" }
    if bytes.count > 1, first == UInt8(ascii: "#"), last == first {
      return "its name is wrapped in #, like an autosave file"
    }
    let lowered = bytes.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    if Self.litter.contains(lowered) {
      return "no list has this name: editors and file managers leave such files behind"
    }
    if let ending = Self.unfinished.first(where: { lowered.suffix($0.count).elementsEqual($0) }) {
      return "its name ends in \(String(decoding: ending, as: UTF8.self)), like an unfinished file"
    }
    return nil
  }
}
