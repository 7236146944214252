import Registration

/// The entry for a JSON value in the place of a key.
enum JSONEntry {
  /// The latest string, read as a key.
  static func key(_ tokens: JSONTokens, line: Int) -> KeyListEntry {
    switch KeyIDText.read(tokens.text[...]) {
    case .key(let id) where !tokens.isCut: .key(id, line: line)
    case .key, .invalid(KeyIDText.notAnID): invalid(tokens, line: line, KeyIDText.notAnID)
    case .blank: invalid(tokens, line: line, "\(KeyIDText.notAnID): the string is empty")
    case .invalid(let reason): invalid(tokens, line: line, reason)
    }
  }

  /// Anything but a string.
  static func misplaced(_ token: JSONTokens.Token, _ tokens: JSONTokens) -> KeyListEntry {
    switch token.kind {
    case .beginArray: .invalid(InvalidLine(line: token.line, text: "[…]", reason: "an array instead of a key id"))
    case .beginObject: .invalid(InvalidLine(line: token.line, text: "{…}", reason: "an object instead of a key id"))
    case .openString: invalid(tokens, line: token.line, "broken JSON: a quote is not closed on its line")
    case .garbage: invalid(tokens, line: token.line, "broken JSON: a key id must be in double quotes")
    default: invalid(tokens, line: token.line, "a number, true, false or null instead of a key id")
    }
  }

  static func invalid(_ tokens: JSONTokens, line: Int, _ reason: String) -> KeyListEntry {
    .invalid(InvalidLine(line: line, bytes: tokens.text, isCut: tokens.isCut, reason: reason))
  }
}
