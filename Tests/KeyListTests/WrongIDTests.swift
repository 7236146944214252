import Registration
import Testing

@testable import KeyList

/// Ids of other things never become keys, and keys are never silently dropped.
struct WrongIDTests {
  private static let key = "00000000-0000-0000-0000-00000000000a"
  private static let second = "00000000-0000-0000-0000-00000000000b"
  private static let other = "11111111-1111-1111-1111-111111111111"

  private func read(_ text: String) throws -> (keys: [String], invalid: Int) {
    let list = text.replacing("K2", with: Self.second).replacing("K", with: Self.key).replacing("O", with: Self.other)
    var reader = KeyListReader(bytes: list.utf8)
    let entries = try reader.all()
    let keys = entries.compactMap { entry -> String? in if case .key(let id, _) = entry { id.description } else { nil }
    }
    return (keys, entries.count - keys.count)
  }

  /// JSON may break a line wherever it may have a space.
  @Test(arguments: [
    "[{\"id\":\"K\",\"owner\":\n{\"id\":\"O\"}}]", "{\"id\":\"K\",\"owner\":\n{\"id\":\"O\"}}",
    "{\"id\":\"K\",\"tags\":\n[\"O\"]}", "{\"id\":\"K\",\"owner\":\r\n{\"id\":\"O\"}}\r\n",
    "{\"team\":\n[\"O\",\"x\"],\"id\":\"K\"}", "{\"owners\":[{\"id\":\"O\"},\n{\"id\":\"O\"}],\"id\":\"K\"}",
    "{\"id\":\"K\",\"relationships\":{\"owner\":{\"data\":\n{\"id\":\"O\"}}}}",
  ])
  func aValueOnTheNextLineIsNoListOfItsOwn(text: String) throws {
    let (keys, invalid) = try read(text)
    #expect(keys == [Self.key] && invalid == 0)
  }

  @Test func onlyTheLastObjectHasTheBreak() throws {
    let text = "[{\"id\":\"K\",\"owner\":{\"id\":\"O\"}},{\"id\":\"K2\",\"owner\":\n{\"id\":\"O\"}}]"
    #expect(try read(text).keys == [Self.key, Self.second])
  }

  @Test(arguments: ["key,owner\nK,O\n", "App Key I,owner\nK,\nK2,O\n", "service_key,owner_id\nK,O\nK2\n"])
  func aHeaderWithoutAKnownNameRefusesTheList(text: String) throws {
    let error = #expect(throws: KeyListError.self) { try read(text) }
    #expect(error?.kind == .ambiguous && error?.message.contains("has no column of key ids") == true)
  }

  @Test(arguments: [
    "#channel,app_key_id\n#infra,K\n#ops,K2\n", "#,app_key_id\n1,K\n,K2\n", "# Channel,app_key_id\n#x,K\n#y,K2\n",
  ])
  func aHeaderMayBeginWithANumberSign(text: String) throws {
    #expect(try read(text).keys == [Self.key, Self.second])
  }

  @Test func aCommentAboveAListIsNone() throws {
    #expect(try read("# name, app_key_id\nK\nK2\n").keys == [Self.key, Self.second])
  }

  @Test func marksThatNobodySeesHideNoSecret() throws {
    let text = "0123456789abcdef\u{200b}0123456789abcdef01234567"
    var reader = KeyListReader(bytes: text.utf8)
    guard case .invalid(let line) = try #require(try reader.next()) else { return }
    #expect(line.text == "(redacted)")
  }
}
