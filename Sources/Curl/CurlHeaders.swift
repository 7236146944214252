/// The header fields of a reply as they came, in one block of memory: only a few of them are ever asked for.
package struct CurlHeaders: Sendable {
  private var bytes: [UInt8] = []
  private var fields: [(name: Range<Int>, value: Range<Int>)] = []

  package var isEmpty: Bool { fields.isEmpty }

  mutating func removeAll() {
    bytes.removeAll(keepingCapacity: true)
    fields.removeAll(keepingCapacity: true)
  }

  /// Adds `Name: value`, without the line end and the white space around the value. A line without a colon is skipped.
  mutating func append(_ line: UnsafeRawBufferPointer) {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return }
    let base = bytes.count
    bytes.append(contentsOf: line)
    fields.append((base..<base + colon, trimmed(base + colon + 1..<bytes.count)))
  }

  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    var range = range
    while let first = range.first, Self.isSpace(bytes[first]) { range.removeFirst() }
    while let last = range.last, Self.isSpace(bytes[last]) { range.removeLast() }
    return range
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0x0a }

  /// The first value of a field, in any letter case.
  package subscript(_ name: String) -> String? {
    fields.first { isSame($0.name, name) }.map { text($0.value) }
  }

  /// The fields with these names, in the order in which they came, each under the name given here.
  package func named(_ names: [String]) -> [(name: String, value: String)] {
    fields.compactMap { field in
      names.first { isSame(field.name, $0) }.map { ($0, text(field.value)) }
    }
  }

  private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  private func isSame(_ range: Range<Int>, _ name: String) -> Bool {
    guard range.count == name.utf8.count else { return false }
    var place = range.lowerBound
    for byte in name.utf8 {
      guard Self.lowercased(bytes[place]) == Self.lowercased(byte) else { return false }
      place += 1
    }
    return true
  }

  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}
