import Registration

/// Why a record of a CSV list cannot be used.
package enum RecordFlaw: Hashable, Sendable {
  case strayQuote
  case farQuote
  case longField
  /// It has another number of fields than the header.
  case fields(Int, columns: Int, Mistake)
  /// It has another number of fields than the other rows of a list without a header.
  case unlikeOthers(Int, others: Int)
  /// The column of this name is empty.
  case empty(column: String)
  case beforeHeader

  /// What probably went wrong with the fields.
  package enum Mistake: Hashable, Sendable {
    case comment
    case separatorAtEnd
    case separatorWithoutQuotes
    case brokenLine
  }
}

extension RecordFlaw: CustomStringConvertible {
  package var description: String {
    switch self {
    case .strayQuote: "a quote is opened and not closed, or text follows the closing quote"
    case .farQuote: "a quote is opened and not closed within \(ListBytes.lookahead) bytes"
    case .longField: "a field in quotes is longer than \(ListBytes.lookahead) bytes; its record was not read"
    case .fields(let fields, let columns, let mistake):
      Self.shown("\(fields.counted("field")) where the header has \(columns)", mistake)
    case .unlikeOthers(let fields, let others):
      "\(fields.counted("field")) where the other rows have \(others): which is which is not clear"
    case .empty(let column): "the column \(column) is empty"
    case .beforeHeader: "before the header line, where no keys are expected"
    }
  }

  private static func shown(_ counts: String, _ mistake: Mistake) -> String {
    switch mistake {
    case .comment: "taken for a comment: \(counts)"
    case .separatorAtEnd:
      "\(counts): the line ends in one separator too many, or a field with a separator needs quotes"
    case .separatorWithoutQuotes: "\(counts): a field with a separator needs quotes"
    case .brokenLine: "\(counts): is the line broken, or a separator missing?"
    }
  }
}
