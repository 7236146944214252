import Registration
import Testing

@Suite struct AppKeyIDTests {
  @Test func readsEitherCaseAndWritesLowerCase() {
    let id = AppKeyID("B7FEEA52-994e-4714-A100-1bd9eff5aee1")
    #expect(id?.description == "b7feea52-994e-4714-a100-1bd9eff5aee1")
    #expect(id.flatMap { AppKeyID(bytes: $0.bytes) } == id)
  }

  @Test(arguments: [
    "", "b7feea52-994e-4714-a100-1bd9eff5aee", "b7feea52-994e-4714-a100-1bd9eff5aee11",
    "b7feea52994e-4714-a100-1bd9eff5aee1-", "{7feea52-994e-4714-a100-1bd9eff5aee1",
    "b7feea52-994e-4714-a100-1bd9eff5aeeg",
    "b7feea52-994e-4714-a100-1bd9eff5aeé",
  ])
  func refusesOtherForms(text: String) {
    #expect(AppKeyID(text) == nil)
  }
}

@Suite struct TimestampTests {
  @Test func everyMillisecondIsWrittenAsItIs() {
    for milliseconds in stride(from: Int64(1_764_000_000_000), to: 1_764_000_002_000, by: 1) {
      let time = Timestamp(milliseconds: milliseconds)
      #expect(time.description.hasSuffix(String(String(milliseconds).suffix(3)) + "Z"))
      #expect(Timestamp(time.description) == time)
    }
  }
}

extension TimestampTests {
  @Test func daysOfEightCenturiesAreTheirDates() {
    let day: Int64 = 86_400_000
    for date in stride(from: -135_140 * day, through: 157_000 * day, by: Int(day * 7 + 1)) {
      for time in [Timestamp(milliseconds: date), Timestamp(milliseconds: date - 1)] {
        #expect(Timestamp(time.description) == time)
      }
    }
  }

  @Test func whatHasNoYearOfFourDigitsIsShownAsTheNearestThatHas() {
    #expect(Timestamp(milliseconds: .min).description == "0001-01-01T00:00:00.000Z")
    #expect(Timestamp(milliseconds: .max).description == "9999-12-31T23:59:59.999Z")
    #expect(Timestamp(milliseconds: -1).description == "1969-12-31T23:59:59.999Z")
    #expect(Timestamp(milliseconds: 951_782_400_000).description == "2000-02-29T00:00:00.000Z")
  }
}

@Suite struct TextFormTests {
  @Test func shortDurationsHaveFractions() {
    for (seconds, text) in [
      (0, "0 ms"), (0.0571, "57 ms"), (0.9996, "1.0 s"), (1.96, "2.0 s"), (9.949, "9.9 s"), (9.96, "10 s"),
      (200, "3 min 20 s"),
    ] { #expect(DurationText.fine(seconds: seconds) == text) }
  }

  @Test func durationsAndSizesAreReadAndWritten() {
    for text in ["250ms", "30s", "5m", "2h", "30d"] {
      #expect(DurationText.milliseconds(text).map(DurationText.describe) == text)
    }
    for text in ["", "5", "s", "-1s", "1.5s", "5 s", "99999999999d", "٣s"] {
      #expect(DurationText.milliseconds(text) == nil)
    }
    for text in ["1KiB", "64KiB", "1GiB", "3B"] { #expect(SizeText.bytes(text).map(SizeText.describe) == text) }
    for text in ["", "5", "1GB", "-1KiB", "99999TiB"] { #expect(SizeText.bytes(text) == nil) }
  }

  @Test func controlCharactersCannotReachATerminal() {
    #expect(PrintableText.escape("a\u{1b}[2Jb\nc\u{202e}d") == "a\\u{1b}[2Jb\\u{a}c\\u{202e}d")
    #expect(PrintableText.escape("abcdef", limit: 3) == "abc…")
    // One grapheme can be as long as it likes.
    #expect(PrintableText.escape("e" + String(repeating: "\u{301}", count: 10_000)).unicodeScalars.count == 201)
  }

  @Test func anExcerptHasNoMoreCharactersThanItMay() {
    #expect(PrintableText.excerpt("abcdef", limit: 6) == "abcdef")
    #expect(PrintableText.excerpt("abcdefg", limit: 6) == "abcde…")
    #expect(PrintableText.excerpt("abcdef", limit: 6, isCut: true) == "abcde…")
    #expect(PrintableText.excerpt("abc", limit: 6, isCut: true) == "abc…")
    #expect(PrintableText.excerpt("a\u{202e}bc", limit: 10) == "a\\u{202e}…")
    #expect(PrintableText.excerpt("abc\u{202e}", limit: 10) == "abc…")
    #expect(PrintableText.excerpt("\u{e9}\u{1f600}x", limit: 2) == "\u{e9}…")
  }

  @Test(arguments: ["=HYPERLINK(\"http://x\")", "@SUM(1)", "+1", "-rf", " =1", "\u{ff1d}1"])
  func foreignTextInCSVIsNoFormula(text: String) {
    let outcome = Outcome(id: AppKeyID(high: 1, low: 2), state: .failed, errorTitle: text, list: text)
    let quoted = text.contains("\"") ? "\"'=HYPERLINK(\"\"http://x\"\")\"" : "'" + text
    #expect(outcome.csvLine == "00000000-0000-0001-0000-000000000002,failed,,0,,,\(quoted),,\(quoted)\n")
    // JSON is for programs.
    #expect(outcome.fields.last == text)
  }

  @Test func fieldsOfAListComeBehindOursAndAreCut() {
    let outcome = Outcome(id: AppKeyID(high: 1, low: 2), state: .pending, list: "l")
    let long = String(repeating: "x", count: 1_001)
    let line = outcome.csvLine(with: ["a,b", "@x", "", long])
    #expect(line == String(outcome.csvLine.dropLast()) + ",\"a,b\",'@x,,\(long.dropLast())…\n")
    let kept = outcome.csvLine(with: ["two\nlines", "t\tab", "\u{1f469}\u{200d}\u{1f52c}", "\u{1b}[31m"])
    #expect(
      kept == String(outcome.csvLine.dropLast())
        + ",\"two\nlines\",t\tab,\u{1f469}\u{200d}\u{1f52c},\\u{1b}[31m\n")
    #expect(outcome.csvLine(with: []) == outcome.csvLine)
    let header = Outcome.csvHeader(with: ["owner", "state", "=x"])
    #expect(header == String(Outcome.csvHeader.dropLast()) + ",owner,given_state,'=x\n")
    #expect(Outcome.csvHeader(with: []) == Outcome.csvHeader)
  }

  @Test func aRecordIsOneLineOfCSVWhateverItsTexts() {
    let outcome = Outcome(
      id: AppKeyID(high: 1, low: 2), state: .failed, httpStatus: 404, attempts: 1, errorTitle: "a \"b\", c",
      errorDetail: "x\ny", list: "l")
    #expect(
      outcome.csvLine
        == "00000000-0000-0001-0000-000000000002,failed,404,1,,,\"a \"\"b\"\", c\",x\\u{a}y,l\n")
  }
}
