import Registration

extension Duration {
  /// Reads `250ms`, `30s`, `5m`, `2h`. Throws `SyntaxError` for anything else, including a missing unit.
  init(parsing text: some StringProtocol) throws {
    guard let milliseconds = DurationText.milliseconds(text) else {
      throw SyntaxError(
        "“\(text)” is not a duration", hint: "write a whole number and one of ms, s, m, h: 250ms, 30s, 5m, 2h")
    }
    self = .milliseconds(milliseconds)
  }
}
