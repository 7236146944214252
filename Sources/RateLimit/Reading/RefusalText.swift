// A refusal without headers can still name its limit: "Rate limit of 10 requests in 300 seconds reached. Please try
// again later." (seen in issues #907 and #1371 of the vendor's Terraform provider). Other refusals are HTML pages from
// the edge, which say nothing.

enum RefusalText {
  /// How many bytes of a body are read; the sentence comes at its beginning.
  static let bytesRead = 4_096

  /// The limit in the sentence, nil without the sentence or with numbers out of range.
  static func allowance(in body: [UInt8]) -> Allowance? {
    let words = body.prefix(bytesRead).map(FieldText.lowercased)
      .split { !isPartOfWord($0) }
      .map { String(decoding: $0, as: UTF8.self) }
    // rate limit of COUNT requests in PERIOD seconds
    for start in words.indices.dropLast(7)
    where words[start] == "rate" && words[start + 1] == "limit" && words[start + 2] == "of"
      && words[start + 4].hasPrefix("request") && words[start + 5] == "in" && words[start + 7].hasPrefix("second")
    {
      if let count = FieldText.count(words[start + 3].utf8, in: Allowance.counts),
        let period = FieldText.number(words[start + 6].utf8), Allowance.periods.contains(period)
      {
        return Allowance(count: count, period: period)
      }
    }
    return nil
  }

  private static func isPartOfWord(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
      || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
  }
}
