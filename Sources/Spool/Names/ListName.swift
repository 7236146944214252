import Crypto
import Registration

/// The name of a list: printable text that is also a file name, and short enough that every name made from it fits into
/// the 255 bytes of a file name.
package struct ListName: Hashable, Sendable {
  package let text: String

  /// The longest name in bytes: 255 minus `.receipt.json` and room for a number (`.1234567`).
  package static let maximumLength = 255 - 13 - 8

  /// Endings of the spool's own files beside a list. A list with such a name could be mistaken for one.
  private static let reservedEndings = [".receipt.json", ".reason.txt"]

  /// True for the name of a receipt or a reason.
  static func isCompanion(_ name: FileName) -> Bool {
    reservedEndings.contains { name.bytes.suffix($0.utf8.count).elementsEqual($0.utf8) }
  }

  /// The name for the list in the file `name`: the file's own name if it is printable UTF-8 and short enough.
  ///
  /// Other bytes are written `%XX`. Anything that looks like a secret is cut out, since the name is shown everywhere. A
  /// name that is too long is cut and gets a suffix from its SHA-256, so that the same file name always gives the same
  /// list name. Two file names can give the same list name: see `SpoolDirectory.freeName`.
  package init(of name: FileName) {
    var text = SecretText.redacted(Self.printable(name.bytes))
    if Self.reservedEndings.contains(where: text.hasSuffix) { text += ".list" }
    if text.utf8.count > Self.maximumLength { text = Self.shortened(text, of: name) }
    self.init(unchecked: text)
  }

  /// The name that somebody chose for a list. Throws `invalidName` with a hint.
  package init(_ text: String) throws(SpoolError) {
    if let fault = Self.fault(in: text) {
      throw SpoolError(
        kind: .invalidName,
        message:
          "\"\(PrintableText.escape(SecretText.redacted(text), limit: 80))\" cannot be the name of a list: \(fault)",
        hint: "use a plain file name such as team-a.csv")
    }
    self.init(unchecked: text)
  }

  /// The name of a list in the queue: it was made here, including its number.
  package init(stored text: String) {
    self.init(unchecked: text)
  }

  /// The name of the list in a file of `reading/`, `done/` or `rejected/`: the file was named here.
  package init(filed name: FileName) {
    self.init(unchecked: String(decoding: name.bytes, as: UTF8.self))
  }

  private init(unchecked text: String) {
    self.text = text
  }

  /// The name of the `number`th list of this name: `NAME`, `NAME.2`, `NAME.3` …
  package func numbered(_ number: Int) -> ListName {
    number < 2 ? self : ListName(unchecked: "\(text).\(number)")
  }

  /// The first of `NAME`, `NAME.2`, `NAME.3` … that is free.
  ///
  /// A name that comes every five minutes has a hundred thousand numbers after a year, so the search first doubles and
  /// then halves. If there are gaps, it may find a number after the first gap.
  func firstFree<Failure: Error>(_ isFree: (ListName) throws(Failure) -> Bool) throws(Failure) -> ListName {
    if try isFree(self) { return self }
    var (taken, free) = (1, 2)
    while try !isFree(numbered(free)) { (taken, free) = (free, free * 2) }
    while free - taken > 1 {
      let middle = taken + (free - taken) / 2
      if try isFree(numbered(middle)) { free = middle } else { taken = middle }
    }
    return numbered(free)
  }

  /// The file name of the list itself.
  package var fileName: FileName { FileName(text) }
  package var receiptFileName: FileName { FileName(text + ".receipt.json") }
  package var reasonFileName: FileName { FileName(text + ".reason.txt") }
  package var resultsFileName: FileName { FileName(text + ".csv") }

  /// The lists that a file of `done/` or `results/` may belong to: its own name, or the one that it was made from.
  static func owners(of file: FileName) -> [ListName] {
    let text = String(decoding: file.bytes, as: UTF8.self)
    let endings = ["", ".receipt.json", ".csv"].filter(text.hasSuffix)
    return endings.map { ListName(unchecked: String(text.dropLast($0.count))) }
  }

  private static func fault(in text: String) -> String? {
    if text.isEmpty { return "it is empty" }
    if text.utf8.count > maximumLength { return "it is longer than \(maximumLength) bytes" }
    if text.utf8.contains(UInt8(ascii: "/")) { return "it contains a slash" }
    if printable(Array(text.utf8)) != text { return "it contains control characters" }
    if let reason = FileName(text).reasonToIgnore { return reason }
    if SecretText.redacted(text) != text { return "it seems to contain a secret, and names are shown everywhere" }
    if let ending = reservedEndings.first(where: text.hasSuffix) { return "\(ending) is for the spool's own files" }
    return nil
  }

  /// `bytes` as text, with `%XX` for every byte that is not UTF-8 and for everything that a terminal would not show as
  /// it is.
  private static func printable(_ bytes: [UInt8]) -> String {
    var result = ""
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var position = 0
    while true {
      switch decoder.decode(&iterator) {
      case .emptyInput: return result
      case .scalarValue(let scalar):
        let count = UTF8.width(scalar)
        if isShown(scalar) {
          result.unicodeScalars.append(scalar)
        } else {
          result += escaped(bytes[position..<position + count])
        }
        position += count
      case .error:
        result += escaped(bytes[position..<position + 1])
        position += 1
        decoder = UTF8()
        iterator = Array(bytes[position...]).makeIterator()
      }
    }
  }

  private static func isShown(_ scalar: Unicode.Scalar) -> Bool {
    PrintableText.escape(String(Character(scalar))) == String(Character(scalar))
  }

  private static func escaped(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return digits.count == 1 ? "%0\(digits)" : "%\(digits)"
    }.joined()
  }

  private static func shortened(_ text: String, of name: FileName) -> String {
    let digest = SHA256.hash(data: name.bytes).prefix(6).map { escaped([$0]).dropFirst().lowercased() }.joined()
    let room = maximumLength - digest.utf8.count - 1
    var start = ""
    for scalar in text.unicodeScalars {
      if start.utf8.count + UTF8.width(scalar) > room { break }
      start.unicodeScalars.append(scalar)
    }
    return "\(start)-\(digest)"
  }
}

extension ListName {
  /// By bytes, as file names are: strings are equal, too, where Unicode says that they are the same text.
  package static func == (one: ListName, other: ListName) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

  package func hash(into hasher: inout Hasher) {
    var text = text
    text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension ListName: CustomStringConvertible {
  package var description: String { text }
}
