import KeyList
import Registration
import Testing

/// The other columns of a CSV list.
struct RecordsTests {
  private func records(_ list: String, most: Int = 64) throws -> [[String]]? {
    guard var records = try KeyListRecords(KeyListReader(bytes: list.utf8), most: most) else { return nil }
    var found = [records.columns]
    while let (id, fields) = try records.next() { found.append([shown(id)] + fields) }
    return found
  }

  private func shown(_ id: AppKeyID) -> String {
    ["a": a, "b": b, "c": c].first { $0.value == id.description }?.key ?? "\(id)"
  }

  @Test func otherColumnsAreKeptUnchangedAndInOrder() throws {
    let list = """
      owner;App Key ID;"team; ""x"" !";empty
      Ann;\(b);"two
      lines";
      nobody;no-id;x;
      "O""Brien";\(a);  y ;

      last;\(c);z
      """
    #expect(
      try records(list) == [
        ["owner", "team; \"x\" !", "empty"], ["b", "Ann", "two\nlines", ""], ["a", "O\"Brien", "  y ", ""],
        [c.lowercased(), "last", "z", ""],
      ])
  }

  @Test func noMoreThanTheFirstColumnsAreKept() throws {
    let list = "x,y,key_id,z\n1,2,\(a),3\n"
    #expect(try records(list, most: 1) == [["x"], ["a", "1"]])
    #expect(try records(list, most: 3) == [["x", "y", "z"], ["a", "1", "2", "3"]])
  }

  @Test(arguments: ["\(a)\n", "app_key_id\n\(a)\n", "[{\"id\":\"\(a)\",\"name\":\"x\"}]"])
  func otherListsHaveNone(list: String) throws {
    #expect(try records(list) == nil)
  }
}
