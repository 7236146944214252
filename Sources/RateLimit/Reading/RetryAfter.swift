// How long a reply asks its client to wait. RFC 9110 (section 10.2.3) allows one value, seconds or a date. Proxies add
// their own field and libraries join the two with a comma. The longest of several is safe, because it includes the
// others.

enum RetryAfter {
  /// Seconds from the reply, nil when no value can be read.
  ///
  /// - Parameters:
  ///   - values: One for each field.
  ///   - clock: The server's time in seconds since 1970, to compare a date with.
  static func seconds(_ values: [String], clock: Seconds) -> Seconds? {
    values.flatMap { delays($0, clock: clock) }.max()
  }

  /// `120`, `120, 300`, or a date in any of the three forms. Two of the forms contain a comma.
  private static func delays(_ text: String, clock: Seconds) -> [Seconds] {
    var delays: [Seconds] = []
    var parts = text.split(separator: ",").map(FieldText.trimmed)[...]
    while let part = parts.popFirst() {
      if let seconds = FieldText.number(part.utf8) {
        delays.append(seconds)
      } else if !part.isEmpty, part.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
        // More digits than any wait has still mean: not now.
        delays.append(.infinity)
      } else if let rest = parts.first, let date = DateField.epoch("\(part), \(rest)", near: clock) {
        parts.removeFirst()
        delays.append(max(0, date - clock))
      } else if let date = DateField.epoch(String(part), near: clock) {
        delays.append(max(0, date - clock))
      }
    }
    return delays
  }
}
