import Registration

/// Recognises what people paste in place of a key. The server would only answer 403.
enum CredentialForm {
  /// Says what `text` is, if not a key, and how to fix it; nil if it could be a key. Neither text quotes it.
  static func mistake(_ text: String) -> (problem: String, hint: String)? {
    if text.contains(where: \.isNewline) { return severalLines(text) }
    let id = text.lowercased().hasPrefix("urn:uuid:") ? text.dropFirst(9) : text[...]
    if AppKeyID(id) != nil {
      return (
        "a UUID: the id of a key, not the key itself", "use the key itself, which was shown once when it was created"
      )
    }
    switch (text.first, text.last) {
    case ("\"", "\""), ("'", "'"), ("`", "`"), ("“", _), ("”", _), ("„", _),
      ("‘", _), ("’", _), ("«", _):
      return ("in quotes", "remove the quotes")
    case ("{", _), ("[", _):
      return ("JSON or a template", "use only the key inside it")
    case ("<", ">"): return ("a placeholder", "replace it with the key itself")
    case ("$", _), ("%", "%"): return ("a variable that was not expanded", "use its value: nothing is expanded here")
    default: break
    }
    if isPlaceholder(text.lowercased()) { return ("a placeholder", "replace it with the key itself") }
    if isName(text) { return ("the name of a key", "replace it with the key itself") }
    if text.hasPrefix("***") || text.hasPrefix("•") || text.hasPrefix("…") {
      return ("a key of which only the end is shown", "use the whole key, which was shown once when it was created")
    }
    if text.hasPrefix("/") || text.hasPrefix("@/") || text.hasPrefix("file:") {
      return ("a path", "name the file in api.api_key_file or api.app_key_file, or use what is in it")
    }
    if ["op://", "vault:", "arn:", "secret:", "ssm:"].contains(where: text.hasPrefix) {
      return ("a reference to a secret", "use the key itself: nothing is looked up here")
    }
    if text.contains("://") { return ("a URL", "use the key itself") }
    if text.lowercased().hasPrefix("bearer ") {
      return ("the value of an Authorization header", "use only what comes after “Bearer”")
    }
    if text.hasPrefix("ENC[") || text.hasPrefix("ENC(") {
      return ("an encrypted value", "use the key itself: nothing is decrypted here")
    }
    if text.utf8.count == 35, text.hasPrefix("pub"), text.dropFirst(3).utf8.allSatisfy(SecretText.isHexadecimal) {
      return ("a client token, as applications send it", "use the key itself: a client token may not do this")
    }
    let parts = text.split(whereSeparator: { ":,;|/".contains($0) })
    if parts.count > 1, parts.allSatisfy({ AppKeyID($0) != nil || isHexadecimal($0) }) {
      return ("several keys or ids in one", "use only the one that belongs here")
    }
    if let last = text.last, ",;".contains(last) {
      return ("followed by a comma or semicolon", "remove it")
    }
    if isAssignment(text) { return ("NAME=value", "use only what comes after the first “=” or “:”") }
    return nil
  }

  /// An API key, or an application key in its old form.
  private static func isHexadecimal(_ text: Substring) -> Bool {
    [32, 40].contains(text.utf8.count) && text.utf8.allSatisfy(SecretText.isHexadecimal)
  }

  /// Placeholders from documentation.
  private static func isPlaceholder(_ text: String) -> Bool {
    let letters = text.filter(\.isLetter)
    if [
      "changeme", "placeholder", "null", "none", "undefined", "todo", "replaceme", "redacted", "nil", "true", "false",
    ].contains(letters) {
      return letters.count + 2 >= text.count
    }
    if text.utf8.count >= 4, text.allSatisfy({ $0 == "*" || $0 == "." }) || text.allSatisfy({ $0 == "x" }) {
      return true
    }
    return letters.hasPrefix("your") && letters.contains("key") && !text.contains(where: \.isNumber)
  }

  /// `DD_API_KEY`, `__API_KEY__`: a placeholder that was not filled in. Upper case only, because a stand-in for the API may
  /// accept `app-key`.
  private static func isName(_ text: String) -> Bool {
    let name = text.filter { $0.isLetter || $0.isNumber }
    let start = ["DATADOG", "DD"].first(where: name.hasPrefix)?.count ?? 0
    return ["APIKEY", "APPKEY", "APPLICATIONKEY"].contains(name.dropFirst(start))
  }

  /// Identifies a file of another format; nil if it is not recognised.
  private static func severalLines(_ text: String) -> (problem: String, hint: String)? {
    let start = text.first { !$0.isWhitespace }
    if start == "{" || start == "[" { return ("JSON", "use only the key inside it") }
    if text.split(whereSeparator: \.isNewline).contains(where: { isAssignment(String($0)) }) {
      return ("a file of variables", "use only what comes after the “=” or “:”: the key as the only line of its file")
    }
    return nil
  }

  /// `DD_APP_KEY=…`, `export NAME=…`, `api_key: …`. A single “=” at the end may be part of a key.
  private static func isAssignment(_ text: String) -> Bool {
    let line = text.hasPrefix("export ") ? text.dropFirst(7) : text[...]
    guard let sign = line.firstIndex(where: { $0 == "=" || $0 == ":" }),
      !line[line.index(after: sign)...].allSatisfy({ $0 == "=" })
    else { return false }
    let name = line[..<sign]
    let words = ["api_key", "api-key", "app_key", "app-key", "apikey", "appkey", "dd-api-key", "dd-application-key"]
    if words.contains(name.lowercased()) { return true }
    return line[sign] == "=" && name.first?.isUppercase == true
      && name.utf8.allSatisfy { (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
  }
}
