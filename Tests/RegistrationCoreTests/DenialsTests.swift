import Testing

@testable import RegistrationCore

struct DenialsTests {
  /// What differs from reply to reply is no part of what the API says.
  @Test(arguments: [
    (
      "404 Not Found: app key not found (request 3f1c2a90-aaaa-4bbb-8ccc-1234567890ab)",
      "not found app key not found request"
    ),
    ("400: app key of another organisation, trace 81237", "app key of another organisation trace"),
    ("400: key ending in ABCDEF is not yours", "key ending in is not yours"),
    ("409: Conflict; id=0a1b2c", "conflict id"),
  ])
  func refusalsAreComparedWithoutIdsAndNumbers(text: String, words: String) {
    #expect(Denials.words(text) == words)
  }
}
