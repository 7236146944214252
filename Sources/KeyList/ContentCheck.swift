/// Recognises from the first bytes that a list is not UTF-8 text at all, so that the operator gets one clear reason
/// instead of a thousand bad lines.
enum ContentCheck {
  /// First bytes of archives and binary files.
  private static let signatures: [(bytes: [UInt8], what: String, hint: String)] = [
    ([0x1f, 0x8b], "gzip data", "unpack it first: gunzip FILE"),
    ([0x28, 0xb5, 0x2f, 0xfd], "zstd data", "unpack it first: unzstd FILE"),
    ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "xz data", "unpack it first: unxz FILE"),
    (Array("BZh".utf8), "bzip2 data", "unpack it first: bunzip2 FILE"),
    ([0x50, 0x4b, 3, 4], "a ZIP archive or a spreadsheet", "unpack it, or save the spreadsheet as CSV in UTF-8"),
    (Array("SQLite format 3\0".utf8), "an SQLite database", "export the keys as CSV"),
    ([0xd0, 0xcf, 0x11, 0xe0], "an old spreadsheet or office document", "save the spreadsheet as CSV in UTF-8"),
  ]

  /// Throws when `sample`, the beginning of the list, shows that it is neither UTF-8 text nor UTF-16 with a byte order
  /// mark.
  ///
  /// In a list with key ids, a NUL byte only damages its line: the good lines still count.
  static func check(_ sample: ArraySlice<UInt8>) throws(KeyListError) {
    for signature in signatures where sample.starts(with: signature.bytes) && !isLine(sample, of: signature.bytes) {
      throw KeyListError(kind: .packed, message: "the list is \(signature.what)", line: 1, hint: signature.hint)
    }
    if sample.dropFirst(257).starts(with: "ustar".utf8) {
      throw KeyListError(
        kind: .packed, message: "the list is a tar archive", line: 1, hint: "unpack it first: tar xf FILE")
    }
    if let encoding = wideEncoding(sample) {
      throw KeyListError(
        kind: .encoding, message: "the list is in \(encoding), not in UTF-8", line: 1,
        hint: "convert it: iconv -f \(encoding) -t UTF-8 FILE")
    }
    if isBigEndian(sample) != nil { return }
    if let document = document(sample), !hasLineOfIDs(sample) {
      throw KeyListError(
        kind: .binary, message: "the list is \(document)", line: 1,
        hint: "save the ids as plain text or CSV, or copy them into a text file")
    }
    guard let zero = sample.firstIndex(of: 0), !hasKeyID(sample) else { return }
    let line = sample[..<zero].count { $0 == UInt8(ascii: "\n") } + 1
    throw KeyListError(
      kind: .binary, message: "the list is binary: it contains NUL bytes", line: line,
      hint: "a list is UTF-8 text with one key id a line, CSV with a header, or JSON")
  }

  /// A document for people instead of a list, with an article.
  private static func document(_ sample: ArraySlice<UInt8>) -> String? {
    let start = String(decoding: Edges.trimmed(sample.prefix(256)).prefix(32), as: UTF8.self).lowercased()
    let kinds = [
      "%pdf-": "a PDF document", "{\\rtf": "an RTF document", "<!doctype html": "an HTML page",
      "<html": "an HTML page",
    ]
    return kinds.first { start.hasPrefix($0.key) }?.value
  }

  /// Whether a line of the beginning holds nothing but key ids: then the rest is only bad lines.
  private static func hasLineOfIDs(_ sample: ArraySlice<UInt8>) -> Bool {
    sample.split(whereSeparator: Edges.isLineEnd).contains { line in
      if case .words(let words) = TextLine.read(line) { words.isIDs } else { false }
    }
  }

  /// `BZh` can also begin a line of text. In packed data, bytes follow that are not text.
  private static func isLine(_ sample: ArraySlice<UInt8>, of signature: [UInt8]) -> Bool {
    signature.allSatisfy { (0x20..<0x7f).contains($0) }
      && sample.prefix(16).allSatisfy { (0x20..<0x7f).contains($0) || Edges.isSpace($0) }
  }

  /// Whether UTF-16 with the byte order mark at the start of `sample` is big-endian; nil when there is no mark.
  static func isBigEndian(_ sample: ArraySlice<UInt8>) -> Bool? {
    if sample.starts(with: [0xff, 0xfe]), !sample.starts(with: [0xff, 0xfe, 0, 0]) { return false }
    return sample.starts(with: [0xfe, 0xff]) ? true : nil
  }

  private static func wideEncoding(_ sample: ArraySlice<UInt8>) -> String? {
    if sample.starts(with: [0xff, 0xfe, 0, 0]) || sample.starts(with: [0, 0, 0xfe, 0xff]) { return "UTF-32" }
    if isBigEndian(sample) != nil { return nil }
    // Without a mark: ASCII text in UTF-16 has a zero in every other byte.
    let start = sample.prefix(512)
    guard start.count >= 8 else { return nil }
    var zeros = [0, 0]
    for (position, byte) in start.enumerated() where byte == 0 { zeros[position % 2] += 1 }
    let most = start.count * 3 / 8
    if zeros[0] == 0, zeros[1] >= most { return "UTF-16LE" }
    if zeros[1] == 0, zeros[0] >= most { return "UTF-16BE" }
    return nil
  }

  private static func hasKeyID(_ sample: ArraySlice<UInt8>) -> Bool {
    guard sample.count >= 36 else { return false }
    return (sample.startIndex...sample.endIndex - 36).contains { start in
      sample[start + 8] == UInt8(ascii: "-") && KeyIDBytes.id(sample[start..<start + 36]) != nil
    }
  }
}
