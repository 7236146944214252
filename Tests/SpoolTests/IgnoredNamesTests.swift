import Spool
import Testing

struct IgnoredNamesTests {
  @Test(arguments: [
    ".hidden", "~$list.xlsx", "#list#", "list~", "list.tmp", "LIST.TMP", "x.part", "x.Partial", "x.filepart",
    "x.crdownload", "x.download", "x.opdownload", "x.aria2", "x.!ut", "x.gstmp", "x.uploading", "x.inProgress",
    "x.incomplete", "x.swp", "x.swo", "x.swx", "4913", "Thumbs.db", "desktop.ini", "",
  ])
  func names_of_unfinished_files_are_left_alone_with_a_reason(name: String) {
    #expect(FileName(name).reasonToIgnore != nil)
    #expect(throws: SpoolError.self) { try ListName(name) }
  }

  @Test(arguments: [
    "a", "tmp", "list.tmp.csv", "#1", "#", "a#", "49130", "~list", "$list", "part", "x.parts", "thumbs",
  ])
  func other_names_are_lists(name: String) throws {
    #expect(FileName(name).reasonToIgnore == nil)
    #expect(try ListName(name).text == name)
  }
}
