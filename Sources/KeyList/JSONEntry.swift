import Registration

/// The entry for a JSON value in the place of a key.
enum JSONEntry {
  /// The latest string, read as a key.
  static func key(_ tokens: JSONTokens, line: Int) -> KeyListEntry {
    switch KeyIDText.read(tokens.text[...]) {
    case .key(let id) where !tokens.isCut: .key(id, line: line)
    case .key: invalid(tokens, line: line, .notAnID(nil))
    case .blank: invalid(tokens, line: line, .notAnID(.emptyString))
    case .invalid(let flaw): invalid(tokens, line: line, .notAnID(flaw))
    }
  }

  /// Anything but a string.
  static func misplaced(_ token: JSONTokens.Token, _ tokens: JSONTokens) -> KeyListEntry {
    switch token.kind {
    case .beginArray: .invalid(InvalidLine(line: token.line, text: "[…]", reason: .value(.array)))
    case .beginObject: .invalid(InvalidLine(line: token.line, text: "{…}", reason: .value(.object)))
    case .openString: invalid(tokens, line: token.line, .json(.openQuote))
    case .garbage: invalid(tokens, line: token.line, .json(.unquotedID))
    default: invalid(tokens, line: token.line, .value(.scalar))
    }
  }

  static func invalid(_ tokens: JSONTokens, line: Int, _ reason: InvalidReason) -> KeyListEntry {
    .invalid(InvalidLine(line: line, bytes: tokens.text, isCut: tokens.isCut, reason: reason))
  }
}
