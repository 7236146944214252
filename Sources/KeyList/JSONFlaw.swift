/// What is not JSON.
package enum JSONFlaw: Hashable, Sendable {
  case openQuote
  case unquotedID
  case behindNoValue
  case commaBeforeBrace
  case openBeforeNextLine
  /// The list ends before the value that begins on this line is closed.
  case openAtEnd(line: Int)
  case outerName
  case badBeginning
  case nameInArray
  case colonInArray
  case braceForBracket
  case earlyBrace
  case noName
  case noColon
  case noValue
  case noComma
  case unmatched
}

extension JSONFlaw: CustomStringConvertible {
  package var description: String {
    switch self {
    case .openQuote: "a quote is not closed on its line"
    case .unquotedID: "a key id must be in double quotes"
    case .behindNoValue: "what comes before it is not a value"
    case .commaBeforeBrace: "a comma before the closing brace"
    case .openBeforeNextLine: "the value is not closed before the next line"
    case .openAtEnd(let line): "the list ends before the value that begins on line \(line) is closed"
    case .outerName: "a name and a colon outside an object"
    case .badBeginning: "a value cannot begin like this"
    case .nameInArray: "a name and a colon in an array"
    case .colonInArray: "a colon between values"
    case .braceForBracket: "a brace closes what a bracket opened"
    case .earlyBrace: "a closing brace comes too early"
    case .noName: "the name of a member or a closing brace is missing"
    case .noColon: "a colon is missing"
    case .noValue: "a member has no value"
    case .noComma: "a comma or a closing brace is missing"
    case .unmatched: "brackets and braces do not match"
    }
  }
}
