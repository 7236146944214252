// The Date and Retry-After fields as a number. Only IMF-fixdate is read: it is the one form RFC 9110 (section 5.6.7) lets
// a sender write, and a date that is not understood costs only precision.

enum HTTPDate {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, years 1970…9999. The day of the week is not compared with the
  /// date: a server that gets it wrong still means the date.
  static func epoch(_ text: Substring) -> Seconds? {
    let bytes = Array(text.utf8)
    guard bytes.count == 29, bytes[3] == UInt8(ascii: ","), text.hasSuffix(" GMT"),
      [4, 7, 11, 16, 25].allSatisfy({ bytes[$0] == UInt8(ascii: " ") }),
      [19, 22].allSatisfy({ bytes[$0] == UInt8(ascii: ":") }),
      let month = months.firstIndex(of: String(decoding: bytes[8..<11], as: UTF8.self)),
      let day = FieldText.count(bytes[5..<7], in: 1...31),
      let year = FieldText.count(bytes[12..<16], in: 1970...9999),
      let hour = FieldText.count(bytes[17..<19], in: 0...23),
      let minute = FieldText.count(bytes[20..<22], in: 0...59),
      let second = FieldText.count(bytes[23..<25], in: 0...60)
    else { return nil }
    return Seconds(days(year: year, month: month + 1, day: day) * 86_400 + hour * 3_600 + minute * 60 + second)
  }

  /// Days from 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap day is the last of its
  /// year and every 400 years have the same 146,097 days.
  private static func days(year: Int, month: Int, day: Int) -> Int {
    let shifted = month > 2 ? year : year - 1
    let yearOfEra = shifted % 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return shifted / 400 * 146_097 + dayOfEra - 719_468
  }
}
