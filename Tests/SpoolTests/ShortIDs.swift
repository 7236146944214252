import KeyList

/// Ids with short names, for lists in which it does not matter which they are.
let a = "00000000-0000-4000-8000-00000000000a"
let b = "11111111-1111-5111-9111-11111111111b"

extension KeyListReader {
  /// Everything that is left.
  mutating func all() throws(KeyListError) -> [KeyListEntry] {
    var entries: [KeyListEntry] = []
    while let entry = try next() { entries.append(entry) }
    return entries
  }
}
