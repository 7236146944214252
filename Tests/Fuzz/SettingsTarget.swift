@testable import Settings

/// The configuration: whatever the text, it is read, or refused with a place that is in the file and with printable text.
func fuzzSettings(_ bytes: [UInt8]) {
  guard let text = String(validating: bytes, as: UTF8.self) else { return }
  // A line of YAML ends in more ways than one.
  let lines = text.unicodeScalars.count { ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains($0) } + 2
  var loaded = LoadedSettings(Settings())
  do throws(SettingsError) {
    try SettingsFile(path: "f").apply(text, to: &loaded)
    for (_, value, origin) in loaded.effective {
      requirePrintable(value, "a value")
      requirePrintable(origin, "an origin")
    }
    require((1...64).contains(loaded.settings.workers), "\(loaded.settings.workers) workers")
    try loaded.validate()
  } catch {
    requirePrintable(error.description, "an error")
    requirePrintable(error.hint, "a hint")
    let place = error.description.split(separator: ":", maxSplits: 3)
    if error.description.hasPrefix("f:"), place.count > 1, let line = Int(place[1]) {
      require((0...lines).contains(line), "line \(line) of \(lines)")
    }
  }
}
