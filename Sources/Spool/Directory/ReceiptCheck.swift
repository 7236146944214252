/// What the spool tells of a queue that is gone.
extension SpoolDirectory {
  /// True when `done/` has the receipt of a list: a queue once knew its keys.
  package func hasReceipts() throws(SpoolError) -> Bool {
    try folder(.done).countOfFiles { $0.bytes.ends(with: ".receipt.json".utf8) } > 0
  }
}

extension [UInt8] {
  fileprivate func ends(with end: String.UTF8View) -> Bool { suffix(end.count).elementsEqual(end) }
}
