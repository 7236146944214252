package import Registration

/// The records of a CSV list with the fields beside the key ids, for results that people join by them. In constant memory,
/// and only those whose id is a key.
package struct KeyListRecords {
  /// The names of the other columns.
  package let columns: [String]
  private var reader: KeyListReader

  /// Nil when the list is not CSV, or has no other columns.
  ///
  /// - Parameters:
  ///   - reader: At the beginning of the list.
  ///   - most: The columns beyond this many are left out.
  package init?(_ reader: KeyListReader, most: Int) throws(KeyListError) {
    var reader = reader
    guard let header = try reader.keepFields(most: most), !header.others(most: most).isEmpty else { return nil }
    columns = header.others(most: most).map { String(decoding: header.names[$0], as: UTF8.self) }
    self.reader = reader
  }

  /// The next key and the fields beside it, in the order of `columns`. Nil at the end.
  package mutating func next() throws(KeyListError) -> (id: AppKeyID, fields: [String])? {
    while let entry = try reader.next() {
      guard case .key(let id, _) = entry else { continue }
      return (id, reader.fields.map { String(decoding: $0, as: UTF8.self) })
    }
    return nil
  }
}

extension CSVHeader {
  /// The columns beside that of the key ids, at most this many.
  func others(most: Int) -> ArraySlice<Int> { names.indices.filter { $0 != column }.prefix(most) }
}
