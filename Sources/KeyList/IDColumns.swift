/// The column of a text list that has an id in every line with ids, beside other words.
///
/// A line without an id, or with a name before it, may be a bad one among good ones. It does not count as long as most
/// lines have an id and other words.
struct IDColumns {
  private var fit = 0
  private var unfit = 0
  /// Lines with one id: alone, and with other words.
  private var bare = 0
  private var worded = 0
  /// Lines with several ids.
  private var several = 0
  /// The places, counted from either end, at which every line that is fit has an id.
  private var fromLeft: [Int] = []
  private var fromRight: [Int] = []
  private var fields = IDField.Survey()

  mutating func add(_ line: TextLine) {
    if line.ids.isEmpty || line.hasNames || Self.isNamed(line) {
      unfit += 1
      return
    }
    fit += 1
    fields.add(line)
    if line.ids.count > 1 { several += 1 } else if line.words > 1 { worded += 1 } else { bare += 1 }
    let right = line.places.map { $0 - line.words }
    (fromLeft, fromRight) =
      fit == 1 ? (line.places, right) : (fromLeft.filter(line.places.contains), fromRight.filter(right.contains))
  }

  /// Nil when there are no other words, or no column that is clear.
  var layout: TextLayout? {
    guard worded > 0, unfit == 0 || worded > 1 && worded >= max(unfit, bare), doubt == nil else { return nil }
    return fields.field.map { .field($0) } ?? column.map { .column($0) }
  }

  /// The only column with an id on every line, counted from 1; negative numbers count from the right.
  private var column: Int? {
    if fromLeft.count == 1 || fromRight.isEmpty { return fromLeft.count == 1 ? fromLeft.first.map { $0 + 1 } : nil }
    return fromLeft.isEmpty && fromRight.count == 1 ? fromRight.first : nil
  }

  /// Most lines have several ids, so that the single ones may be those of anything.
  var doubt: String? { worded > 0 && several > worded + bare ? "most lines have several ids, others have one" : nil }

  /// Whether a name and a vertical bar come before the ids, as a database shows records: `owner | …`.
  private static func isNamed(_ line: TextLine) -> Bool {
    line.text.contains(UInt8(ascii: "|")) && TextHeading(line.text)?.holdsID == true
  }
}
