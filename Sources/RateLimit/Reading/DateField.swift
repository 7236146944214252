// The Date and Retry-After fields as a number, in the three forms that RFC 9110 (section 5.6.7) requires recipients to
// read:
//
//     Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate, the only one that may be written today
//     Sunday, 06-Nov-94 08:49:37 GMT    RFC 850
//     Sun Nov  6 08:49:37 1994          asctime

enum DateField {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  private static let days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let longDays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

  /// Seconds since 1970, years 1970…9999; nil for anything else. The day of the week must be a valid one, but is not
  /// compared with the date: a server that gets it wrong still means the date.
  ///
  /// - Parameter near: A time in seconds since 1970, which gives the century of a two-digit year.
  static func epoch(_ text: String, near: Seconds) -> Seconds? {
    if let date = fixdate(text) { return date }
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    switch words.count {
    case 4 where words[3] == "GMT" && words[0].last == "," && longDays.contains(String(words[0].dropLast())):
      let parts = words[1].split(separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 3 else { return nil }
      return epoch(day: parts[0], digits: 2, month: parts[1], year: twoDigits(parts[2], near: near), time: words[2])
    case 5 where days.contains(String(words[0])):
      return epoch(day: words[2], digits: 2, month: words[1], year: fourDigits(words[4]), time: words[3])
    case 6 where days.contains(String(words[0])) && words[2].isEmpty:
      return epoch(day: words[3], digits: 1, month: words[1], year: fourDigits(words[5]), time: words[4])
    default: return nil
    }
  }

  /// The only form written today, read by position: every reply has a Date.
  private static func fixdate(_ text: String) -> Seconds? {
    guard text.utf8.count == 29 else { return nil }
    var text = text
    return text.withUTF8 { bytes in
      func number(_ range: Range<Int>) -> Int? {
        var value = 0
        for byte in bytes[range] {
          guard case 0...9 = byte &- UInt8(ascii: "0") else { return nil }
          value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value
      }
      func isThere(_ word: String, at place: Int) -> Bool {
        bytes[place..<place + word.utf8.count].elementsEqual(word.utf8)
      }
      guard days.contains(where: { isThere($0, at: 0) }), isThere(", ", at: 3), isThere(" ", at: 7),
        isThere(" ", at: 11),
        isThere(" ", at: 16), isThere(":", at: 19), isThere(":", at: 22), isThere(" GMT", at: 25),
        let month = months.firstIndex(where: { isThere($0, at: 8) }),
        let day = number(5..<7), (1...31).contains(day), let year = number(12..<16), (1970...9999).contains(year),
        let hour = number(17..<19), hour < 24, let minute = number(20..<22), minute < 60, let second = number(23..<25),
        second <= 60
      else { return nil }
      return epoch(day: day, month: month + 1, year: year, hour: hour, minute: minute, second: second)
    }
  }

  private static func epoch(day: Int, month: Int, year: Int, hour: Int, minute: Int, second: Int) -> Seconds {
    Seconds(daysSince1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
  }

  private static func epoch(day: Substring, digits: Int, month: Substring, year: Int?, time: Substring) -> Seconds? {
    let clock = time.split(separator: ":", omittingEmptySubsequences: false)
    guard let year, let month = months.firstIndex(of: String(month)), let day = whole(day, digits, in: 1...31),
      clock.count == 3, let hour = whole(clock[0], 2, in: 0...23), let minute = whole(clock[1], 2, in: 0...59),
      let second = whole(clock[2], 2, in: 0...60)
    else { return nil }
    return epoch(day: day, month: month + 1, year: year, hour: hour, minute: minute, second: second)
  }

  private static func whole(_ text: Substring, _ digits: Int, in range: ClosedRange<Int>) -> Int? {
    text.utf8.count == digits ? FieldText.count(text.utf8, in: range) : nil
  }

  private static func fourDigits(_ text: Substring) -> Int? { whole(text, 4, in: 1970...9999) }

  /// A year more than fifty years after `near` means the last one with the same two digits.
  private static func twoDigits(_ text: Substring, near: Seconds) -> Int? {
    guard let short = whole(text, 2, in: 0...99) else { return nil }
    let present = 1970 + Int(clamping: min(max(0, near), 2.5e11) / 31_556_952)
    let latest = present + 50
    let year = latest - (latest - short) % 100
    return year >= 1970 ? year : nil
  }

  /// Days from 1970-01-01 in the Gregorian calendar. Years start in March here, so that the leap day is the last day of
  /// its year and every 400 years have the same 146,097 days.
  private static func daysSince1970(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month > 2 ? year : year - 1
    let yearOfEra = shifted % 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return shifted / 400 * 146_097 + dayOfEra - 719_468
  }
}
