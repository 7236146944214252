/// Text as a terminal shows it: its width in columns, and what is left of it when it is cut to some.
enum ShownText {
  /// Columns that `text` takes: wide characters two, combining ones none, sequences that set a colour none.
  static func columns(_ text: some StringProtocol) -> Int {
    var count = 0
    var isSequence = false
    for scalar in text.unicodeScalars { count += width(of: scalar, &isSequence) }
    return count
  }

  /// `text` cut to `columns`; what was cut becomes `ellipsis`. Colours that are on at the end are turned off.
  static func cut(_ text: String, to columns: Int, ellipsis: String = "…") -> String {
    guard columns > 0, self.columns(text) > columns else { return columns > 0 ? text : "" }
    let room = max(0, columns - self.columns(ellipsis))
    var result = String.UnicodeScalarView()
    var count = 0
    var isSequence = false
    var hasColour = false
    for scalar in text.unicodeScalars {
      let width = width(of: scalar, &isSequence)
      hasColour = hasColour || isSequence
      guard count + width <= room else { break }
      count += width
      result.append(scalar)
    }
    return String(result) + (hasColour ? "\u{1B}[0m" : "") + ellipsis
  }

  static func padded(_ text: String, to columns: Int) -> String {
    text + String(repeating: " ", count: max(0, columns - self.columns(text)))
  }

  private static func width(of scalar: Unicode.Scalar, _ isSequence: inout Bool) -> Int {
    if isSequence {
      // A sequence ends with a letter; the bracket after ESC does not end it.
      if scalar.properties.isAlphabetic { isSequence = false }
      return 0
    }
    if scalar == "\u{1B}" {
      isSequence = true
      return 0
    }
    if scalar.isASCII { return 1 }
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    return scalar.properties.isEmojiPresentation || wide.contains { $0.contains(scalar.value) } ? 2 : 1
  }

  /// East Asian wide and full-width characters (Unicode Standard Annex 11), by block.
  private static let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3,
    0xf900...0xfaff, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6, 0x1f300...0x1faff, 0x20000...0x3fffd,
  ]
}
