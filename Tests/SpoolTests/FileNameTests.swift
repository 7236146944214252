import Testing

@testable import Spool

struct FileNameTests {
  @Test(
    arguments: [
      ("a.csv", "incoming/a.csv"), ("-rf", "incoming/-rf"), ("it's", "'incoming/it'\\''s'"),
      ("$(a) b;c", "'incoming/$(a) b;c'"), ("größe", "'incoming/größe'"), ("a\u{1b}", nil), ("a\nb", nil),
    ] as [(String, String?)])
  func aNameInACommandIsOneWord(name: String, word: String?) {
    #expect(FileName(name).shellWord(in: "incoming") == word)
  }

  @Test func aHintHasNoCommandWithAnotherName() {
    let hint = SpoolWarning.unreadable(FileName(bytes: [0x61, 0xff])).hint
    #expect(hint?.hasPrefix("chmod g+r on it, and chgrp") == true)
  }
}
