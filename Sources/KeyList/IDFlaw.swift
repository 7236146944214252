package import Registration

/// Mistakes with ids that happen in practice.
package enum IDFlaw: Hashable, Sendable {
  case emptyQuotes
  case emptyString
  /// A secret in the place of an id.
  case secret(SecretText.Kind)
  case nulBytes
  case notUTF8
  case twoInOne
  /// As Terraform imports the key of a service account.
  case twoInOneByTerraform
  /// An id among other characters.
  case moreThanID
  /// The same with separators, so that it may be a row of a table.
  case moreThanIDInRow
  case moreThanIDInColumns
  case severalIDs(Int)
  case typographicDashes
  case longLine
  case restOfLongLine
  case openBracket

  /// The sentence for text that resembles none of them; those for them begin with it.
  static let notAnID = "not a UUID (8-4-4-4-12 hexadecimal)"
}

extension IDFlaw: CustomStringConvertible {
  /// What is wrong and, if known, what to change.
  package var description: String {
    switch self {
    case .emptyQuotes: "the quotes are empty"
    case .emptyString: "the string is empty"
    case .secret(.digits32):
      "32 hexadecimal digits are a key id without its dashes, or an API key; write the id as it is shown beside the key"
    case .secret(.applicationKey): "this looks like an application key itself; its id is needed"
    case .secret(.accessToken): "this looks like an access token; the id of an application key is needed"
    case .secret(.assignment): "this looks like a secret with its name; the id of an application key is needed"
    case .nulBytes: "the line contains NUL bytes"
    case .notUTF8: "the line is not UTF-8"
    case .twoInOne: "two ids in one: write the id of the application key alone"
    case .twoInOneByTerraform:
      "two ids in one, as Terraform imports the key of a service account: the second is the key's; "
        + "to keep only that: cut -d: -f2 FILE"
    case .moreThanID: "there is more than a key id on the line"
    case .moreThanIDInRow:
      "there is more than a key id on the line; a CSV list needs a header line with a column \(CSVHeader.accepted)"
    case .moreThanIDInColumns: "there is more than a key id on the line; \(Self.needsHeader)"
    case .severalIDs(let count): "\(count) ids and other words are on the line; \(Self.needsHeader)"
    case .typographicDashes: "write the dashes as plain hyphens"
    case .longLine: "the line is longer than \(ListBytes.lookahead) bytes"
    case .restOfLongLine: "nothing after it on the line was read"
    case .openBracket: "the bracket is not closed"
    }
  }

  private static let needsHeader = "a list with several columns needs a header line with a column \(CSVHeader.accepted)"
}
