import KeyList

/// The key list reader: whatever the bytes, it ends, never traps, names only existing lines, and gives the same entries
/// however the bytes arrive.
func fuzzLists(_ bytes: [UInt8]) {
  let lines = bytes.count { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") } + 1
  let (entries, error) = outcome(of: KeyListReader(bytes: bytes), limit: bytes.count + 1)
  for entry in entries {
    switch entry {
    case .key(_, let line): require((1...lines).contains(line), "a line that does not exist")
    case .invalid(let bad):
      require((1...lines).contains(bad.line), "a line that does not exist")
      require(!bad.reason.description.isEmpty, "a bad line without a reason")
    }
  }
  let pieces = PiecedSource(bytes: bytes[...], size: 1 + bytes.count % 7)
  let (again, errorAgain) = outcome(of: KeyListReader(pieces), limit: bytes.count + 1)
  require(again == entries && errorAgain == error, "the entries depend on how the bytes arrive")
}

/// The bytes in pieces of one size.
private struct PiecedSource: KeyListSource {
  var bytes: ArraySlice<UInt8>
  let size: Int

  mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let piece = bytes.prefix(min(size, buffer.count))
    buffer.copyBytes(from: piece)
    bytes = bytes.dropFirst(piece.count)
    return piece.count
  }
}

private func outcome(of reader: KeyListReader, limit: Int) -> ([KeyListEntry], KeyListError?) {
  var reader = reader
  var entries: [KeyListEntry] = []
  do throws(KeyListError) {
    while let entry = try reader.next() {
      entries.append(entry)
      require(entries.count <= limit, "more entries than bytes")
    }
    return (entries, nil)
  } catch {
    return (entries, error)
  }
}
