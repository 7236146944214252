import Logging
import Secrets
import Testing

struct SecretTests {
  private let secret: Secret

  init() throws { secret = try Secret("0123456789abcdef".utf8, from: "DD_API_KEY") }

  @Test func noWayOfShowingItShowsIt() {
    var dumped = ""
    dump(secret, to: &dumped)
    dump([secret], to: &dumped)
    dump((label: "pair", secret), to: &dumped)
    let metadata: Logger.Metadata = ["key": "\(secret)", "also": .stringConvertible(secret)]
    let shown = [
      "\(secret)", String(describing: secret), String(reflecting: secret), secret.debugDescription, dumped,
      String(describing: [secret]), String(reflecting: Optional(secret)), "\(metadata)",
      "\(Mirror(reflecting: secret).children.map(\.value))",
    ]
    for text in shown { #expect(!text.contains("0123456789abcdef")) }
    #expect("\(secret)" == "<redacted>")
  }

  @Test func itHasNothingToReflectUpon() {
    #expect(Mirror(reflecting: secret).children.isEmpty)
  }

  @Test func equalityIsThatOfTheText() throws {
    #expect(try secret == Secret("0123456789abcdef\n".utf8, from: "a file"))
    #expect(try secret != Secret("0123456789abcdeF".utf8, from: "a file"))
  }

  @Test func theErrorNamesWhereItCameFromAndNotWhatItIs() throws {
    let error = try #require(throws: CredentialError.self) {
      try Secret("hunter2 hunter2".utf8, from: "DD_APP_KEY")
    }
    #expect(error.message == "DD_APP_KEY has a character at byte 8 that a key cannot have")
    #expect(!"\(error) \(error.hint) \(String(reflecting: error))".contains("hunter2"))
  }

  @Test func bytesThatNeverEndAreNotEndured() throws {
    let error = try #require(throws: CredentialError.self) {
      try Secret(repeatElement(UInt8(ascii: "k"), count: 4097), from: "DD_API_KEY")
    }
    #expect(error.message == "DD_API_KEY is longer than 4096 bytes")
  }
}
