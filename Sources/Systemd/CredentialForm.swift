import Registration

/// What people put where a key belongs. Each looks like a key to a server that only says 403.
enum CredentialForm {
  /// What `text` is instead of a key, and what to do about it; nil when it may be one. Neither quotes it.
  static func mistake(_ text: String) -> (problem: String, hint: String)? {
    if AppKeyID(text) != nil {
      return ("a UUID: the id of a key, not the key itself", "put in the key that was shown once when it was made")
    }
    switch (text.first, text.last) {
    case ("\"", "\""), ("'", "'"):
      return ("in quotes", "take the quotes away: nothing but the key itself is read")
    case ("{", _), ("[", _):
      return ("JSON or a template", "put in the key alone, as it stands inside of it")
    case ("<", ">"): return ("a placeholder", "put the key itself in its place")
    case ("$", _): return ("a variable that nobody has replaced", "put in its value: nothing is expanded here")
    default: break
    }
    if text.hasPrefix("ENC[") { return ("an encrypted value", "put in the key itself: nothing is decrypted here") }
    if isAssignment(text) { return ("NAME=value", "put in what stands behind the first “=”, and nothing else") }
    return nil
  }

  /// `DD_APP_KEY=…`, `export NAME=…`, `api_key: …`. A lone “=” at the end may be a key's own.
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
