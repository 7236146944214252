extension BinaryInteger {
  /// A count with its noun: `1 key`, `2 keys`. For nouns whose plural adds an s.
  package func counted(_ noun: String) -> String { self == 1 ? "1 \(noun)" : "\(self) \(noun)s" }
}
