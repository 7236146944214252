// libFuzzer's entry for the key list reader: whatever the bytes, it ends, traps nowhere, names only lines that exist, and
// gives the same entries however the bytes arrive. Not part of the package: fuzz-keylist.sh builds and runs it.

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
      precondition(entries.count <= limit, "more entries than bytes")
    }
    return (entries, nil)
  } catch {
    return (entries, error)
  }
}

@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzKeyList(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  let lines = bytes.count { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") } + 1
  let (entries, error) = outcome(of: KeyListReader(bytes: bytes), limit: count + 1)
  for entry in entries {
    switch entry {
    case .key(_, let line): precondition((1...lines).contains(line), "a line that does not exist")
    case .invalid(let bad):
      precondition((1...lines).contains(bad.line), "a line that does not exist")
      precondition(!bad.reason.isEmpty)
    }
  }
  let pieces = PiecedSource(bytes: bytes[...], size: 1 + count % 7)
  let (again, errorAgain) = outcome(of: KeyListReader(pieces), limit: count + 1)
  precondition(again == entries && errorAgain == error, "the entries depend on how the bytes arrive")
  return 0
}
