/// `sep=;`, which names the separator to spreadsheets: it contains no keys.
struct SeparatorLine {
  let separator: UInt8

  /// Nil when `line` is not one.
  init?(_ line: ArraySlice<UInt8>) {
    let line = Edges.trimmed(line)
    let bare = line.first == UInt8(ascii: "\"") ? line.dropFirst().dropLast() : line
    // A tab was trimmed with the other white space.
    guard bare.count == 4 || bare.count == 5, bare.prefix(3).map({ $0 | 0x20 }).elementsEqual("sep".utf8),
      bare.dropFirst(3).first == UInt8(ascii: "=")
    else { return nil }
    separator = bare.dropFirst(4).first ?? UInt8(ascii: "\t")
  }
}
