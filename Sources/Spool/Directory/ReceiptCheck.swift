import FoundationEssentials
import Glibc
package import Registration

/// What the spool says about the lists that a queue has imported.
extension SpoolDirectory {
  /// What a receipt says about the bytes that were read.
  package struct Receipted: Hashable, Sendable, Decodable {
    /// The name of the list. Differs from the file's if somebody has copied or renamed it.
    package var list: String
    package var sha256: String
    package var bytes: Int64
    package var importedAt: Timestamp

    private enum CodingKeys: String, CodingKey {
      case list, sha256, bytes
      case importedAt = "imported_at"
    }
  }

  /// In bytes; a thousand bad lines of two hundred characters need less.
  private static let longestReceipt: Int64 = 16 << 20

  /// The lists with a receipt in `done/`, by name, whether or not the lists themselves are there.
  package func receiptedLists() throws(SpoolError) -> [ListName] {
    try lists(in: .done, withEnding: ".receipt.json")
  }

  /// The lists with a file in `results/`, by name.
  package func resultedLists() throws(SpoolError) -> [ListName] {
    try lists(in: .results, withEnding: ".csv")
  }

  /// What the receipt of a list says. Nil when there is none, or it cannot be read.
  package func receipted(_ name: ListName) -> Receipted? {
    beginning(of: name.receiptFileName, in: .done, bytes: Self.longestReceipt)
      .flatMap { try? JSONDecoder().decode(Receipted.self, from: Data($0)) }
  }

  /// Makes the receipt of a list say whether it was stopped; its other members stay. Nothing happens when there is no
  /// receipt, when it cannot be read, and when it says so already.
  package func amendReceipt(of name: ListName, stop: Receipt.Stop?) throws(SpoolError) {
    guard let bytes = beginning(of: name.receiptFileName, in: .done, bytes: Self.longestReceipt) else { return }
    // The usual case, in which there is nothing to decode.
    guard stop != nil || Self.mentionsStop(bytes) else { return }
    guard receipted(name) != nil,
      let old = try? JSONDecoder().decode([String: JSONValue].self, from: Data(bytes))
    else { return }
    var new = old
    new[Receipt.CodingKeys.stoppedAt.rawValue] = stop.map { .string($0.at.description) }
    new[Receipt.CodingKeys.stoppedBecause.rawValue] = stop.map { .string($0.reason) }
    // It was JSON, so it can be written as JSON.
    guard new != old, let document = try? Receipt.document(new) else { return }
    try write(Array(document), to: name.receiptFileName, in: .done)
  }

  private static func mentionsStop(_ receipt: [UInt8]) -> Bool {
    let text = receipt.map { CChar(bitPattern: $0) } + [0]
    return strstr(text, Receipt.CodingKeys.stoppedAt.rawValue) != nil
  }

  /// Whether the file in `results/` is ours: anybody may have put another one there.
  package func hasResults(_ name: ListName) -> Bool {
    let header = Outcome.csvHeader.utf8.dropLast()
    guard let bytes = beginning(of: name.resultsFileName, in: .results, bytes: Int64(header.count) + 1) else {
      return false
    }
    // Columns of the list may follow.
    return bytes.starts(with: header) && [UInt8(ascii: "\n"), UInt8(ascii: ",")].contains(bytes.last)
      && bytes.count > header.count
  }

  /// Nil when there is no such file, or it cannot be read.
  func beginning(of name: FileName, in place: Subfolder, bytes limit: Int64) -> [UInt8]? {
    guard let file = try? SpoolFile(name, in: folder(place), maximumSize: nil) else { return nil }
    var source = file.source()
    var bytes = [UInt8](repeating: 0, count: Int(min(limit, file.size)))
    let count = try? bytes.withUnsafeMutableBytes { try source.read(into: $0) }
    return count.map { Array(bytes.prefix($0)) }
  }

  private func lists(in place: Subfolder, withEnding ending: String) throws(SpoolError) -> [ListName] {
    var names: [FileName] = []
    for name in try folder(place).names() where !NewFile.isTemporary(name) {
      guard name.bytes.suffix(ending.utf8.count).elementsEqual(ending.utf8) else { continue }
      names.append(FileName(bytes: name.bytes.dropLast(ending.utf8.count)))
    }
    return names.sorted().map(ListName.init(filed:))
  }
}
