/// One of several daemons on a machine, each for a different organisation, or the main one, which has no name.
package struct Instance: Hashable, Sendable, CustomStringConvertible {
  /// Nil for the main instance.
  package let name: String?

  package static let main = Instance(unchecked: nil)

  /// Nil unless `text` is at most 64 letters, digits, `-`, `_` and `.` (not beginning with `-` or `.`): the name
  /// becomes part of paths. `keyreg` is not allowed, since the main instance's files have that name.
  package init?(_ text: String) {
    let isUsable =
      !text.isEmpty && text.utf8.count <= 64 && !text.hasPrefix(".") && !text.hasPrefix("-") && text != Self.mainWord
      && text.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
          || [0x2d, 0x2e, 0x5f].contains(byte)
      }
    guard isUsable else { return nil }
    self.init(unchecked: text)
  }

  private init(unchecked name: String?) {
    self.name = name
  }

  /// The instance of a stamp or folder with this word; the inverse of `word`.
  package init?(word: String) {
    if word == Self.mainWord { self = .main } else { self.init(word) }
  }

  /// The word for the instance in a file's name or content.
  var word: String { name ?? Self.mainWord }

  private static let mainWord = "keyreg"

  package var description: String { name.map { "the instance \($0)" } ?? "the main instance" }
}
