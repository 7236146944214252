// Numbers and words in header fields and bodies, read from bytes. The standard library's conversions also accept "nan",
// "inf", "0x1p9" and "1e300", which no rate-limit field may mean.

enum FieldText {
  /// A plain decimal: digits, perhaps a point and more digits; at most 15 digits before the point, so that no value
  /// overflows an `Int`. Nil for anything else, including a sign or an exponent.
  static func number(_ text: some Sequence<UInt8>) -> Double? {
    var whole = 0.0
    var wholeDigits = 0
    var fraction = 0.0
    var scale = 1.0
    var pointSeen = false
    for byte in text {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"):
        let digit = Double(byte - UInt8(ascii: "0"))
        if pointSeen {
          if scale > 1e-9 {
            scale /= 10
            fraction += digit * scale
          }
        } else {
          wholeDigits += 1
          whole = whole * 10 + digit
        }
      case UInt8(ascii: ".") where !pointSeen && wholeDigits > 0:
        pointSeen = true
      default:
        return nil
      }
    }
    return (1...15).contains(wholeDigits) ? whole + fraction : nil
  }

  /// A count of requests: `number` without a fraction, within `range`.
  static func count(_ text: some Sequence<UInt8>, in range: ClosedRange<Int>) -> Int? {
    guard let value = number(text), value == value.rounded(), range.contains(Int(clamping: value)) else { return nil }
    return Int(clamping: value)
  }

  /// The text between spaces and tabs.
  static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }

  /// Whether two names are the same apart from the case of ASCII letters, as header names are compared.
  static func same(_ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>) -> Bool {
    left.lazy.map(lowercased).elementsEqual(right.lazy.map(lowercased))
  }

  static func same(_ left: String, _ right: String) -> Bool {
    guard left.utf8.count == right.utf8.count else { return false }
    var others = right.utf8.makeIterator()
    for byte in left.utf8 {
      guard let other = others.next(), lowercased(byte) == lowercased(other) else { return false }
    }
    return true
  }

  static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }
}
