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

  @Test(arguments: [
    "[{\"id\":null,\"roles\":[{\"id\":\"O\"}]}]", "{\"uuid\":null,\"things\":{\"a\":[{\"id\":\"O\"}]}}",
  ])
  func aRecordWithoutItsIDDoesNotLendThoseInIt(text: String) throws {
    let (keys, invalid) = try read(text)
    #expect(keys.isEmpty && invalid == 1)
    // Unless they are named after keys.
    #expect(try read("[{\"id\":null,\"application_keys\":[{\"id\":\"K\"}]}]").keys == [Self.key])
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

  /// The id of a user or an export beside those of its keys, in whichever order.
  @Test(arguments: [
    "[{\"id\":\"O\",\"email\":\"x@y\",\"application_keys\":[{\"id\":\"K\"},{\"id\":\"K2\"}]}]",
    "{\"id\":\"O\",\"created_at\":\"2026\",\"ids\":[\"K\",\"K2\"]}",
    "{\"ids\":[\"K\",\"K2\"],\"id\":\"O\"}", "{\"uuid\":\"O\",\"keys\":[\"K\",\"K2\"]}",
    "{\"id\":17,\"key_ids\":[\"K\",\"K2\"]}", "{\"id\":\"O\",\"app keys\":{\"list\":[\"K\",\"K2\"]}}",
    "{\"id\":\"O\",\"app_key_ids\":[[\"K\"],[\"K2\"]],\"things\":[\"O\"]}",
    "{\"id\":\"O\",\"app_key\":{\"id\":\"K\",\"owner\":{\"id\":\"O\"}}}\n{\"app_key\":{\"id\":\"K2\"},\"id\":\"O\"}",
    "{\"data\":[{\"id\":\"O\",\"application_keys\":[\"K\",\"K2\"]}]}",
    "{\"data\":{\"id\":\"O\",\"ids\":[\"K\",\"K2\"]}}",
    "{\"id\":\"K\",\"app_key_ids\":[\"K\",\"K2\"]}", "{\"app_key\":{\"id\":\"K\"}}\n{\"ids\":[],\"key_id\":\"K2\"}",
    "{\"app_key_id\":\"K\",\"app_key\":{\"id\":\"K\"}}\n\"K2\"",
    "{\"type\":\"application_keys\",\"id\":\"K\",\"keys\":[\"O\"]}\n\"K2\"",
    "{\"data\":[{\"id\":\"K\",\"attributes\":{\"ids\":[\"O\"]},\"relationships\":{\"owner\":{\"data\":{\"id\":\"O\"}}}},{\"id\":\"K2\"}]}",
  ])
  func anIDBesideKeysIsNotAKey(text: String) throws {
    let (keys, invalid) = try read(text)
    #expect(keys == [Self.key, Self.second] && invalid == 0)
  }

  @Test(arguments: [
    "{\"app_key_id\":\"K\",\"application_keys\":[\"K2\"]}", "{\"key_id\":\"K\",\"ids\":[\"K2\"]}",
    "{\"id\":\"O\",\"app_keys\":[\"K\"],\"key_ids\":[\"K2\"]}",
    "{\"app_key_id\":\"K\",\"app_key\":{\"id\":\"K2\"}}",
  ])
  func twoMembersThatMayHoldTheKeysAreNamed(text: String) throws {
    let list = text.replacing("K2", with: Self.second).replacing("K", with: Self.key).replacing("O", with: Self.other)
    let found = try entries(list)
    #expect(found.count == 1 && found.first?.contains("both an id of its own and ids in") == true, "\(found)")
  }

  @Test func marksThatNobodySeesHideNoSecret() throws {
    let text = "0123456789abcdef\u{200b}0123456789abcdef01234567"
    var reader = KeyListReader(bytes: text.utf8)
    guard case .invalid(let line) = try #require(try reader.next()) else { return }
    #expect(line.text == "(redacted)")
  }

  @Test(arguments: ["\"dd\\u0061pp_Ab3dEf6hIj9l\"", "ddapp_\\u0041b3dEf6hIj9l x", "[\"dd\\u0061pp_Ab3dEf6hIj9l\"]"])
  func escapesHideNoSecret(text: String) throws {
    var reader = KeyListReader(bytes: text.utf8)
    guard case .invalid(let line) = try #require(try reader.next()) else { return }
    #expect(line.text.contains("(redacted)") && !line.text.contains("3dEf6hIj9l"))
  }
}
