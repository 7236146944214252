extension JSONScanner {
  /// The member that is taken in the first object with a key, if it has several ids. `beginning` is the start of the
  /// list.
  static func member(in beginning: ArraySlice<UInt8>) throws(KeyListError) -> String? {
    var (scanner, bytes) = (JSONScanner(), ListBytes(source: MemorySource(beginning)))
    scanner.notesMembers = true
    while let entry = try scanner.next(&bytes) {
      if case .key = entry { return scanner.chosen }
    }
    return nil
  }
}
