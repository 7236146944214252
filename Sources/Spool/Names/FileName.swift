import Registration

/// A name in a folder, as Linux has it: bytes, which need not be UTF-8. Ordered by bytes, which is the C locale's
/// order.
package struct FileName: Hashable, Sendable {
  package let bytes: [UInt8]

  package init(bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
  }

  package init(_ text: String) {
    self.init(bytes: text.utf8)
  }

  /// True for a name that no list can have: `reasonToIgnore` says why.
  package var isIgnored: Bool { reasonToIgnore != nil }

  /// Calls `body` with the name as a C string. `errno` stays as `body` leaves it: freeing memory does not change it
  /// since glibc 2.33.
  func withCString<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
    var text = bytes.map { CChar(bitPattern: $0) }
    text.append(0)
    return text.withUnsafeBufferPointer { buffer in
      // The array ends in a NUL, so it is never empty and has an address.
      buffer.baseAddress.map(body) ?? body("")
    }
  }
}

extension FileName {
  /// The name in `folder` as one word of a shell's command line; nil if it cannot be shown as it is.
  package func shellWord(in folder: String) -> String? {
    let path = "\(folder)/\(self)"
    guard path.utf8.elementsEqual(folder.utf8 + [UInt8(ascii: "/")] + bytes) else { return nil }
    if path.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "/._-".contains($0)) }) { return path }
    let parts = path.split(separator: "'", omittingEmptySubsequences: false)
    return "'" + parts.joined(separator: "'\\''") + "'"
  }
}

extension FileName: Comparable {
  package static func < (one: FileName, other: FileName) -> Bool {
    one.bytes.lexicographicallyPrecedes(other.bytes)
  }
}

extension FileName: CustomStringConvertible {
  /// Safe for a terminal or a log line: anything that looks like a secret is cut out.
  package var description: String {
    PrintableText.escape(SecretText.redacted(String(decoding: bytes, as: UTF8.self)), limit: 255)
  }
}
