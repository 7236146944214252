import FoundationEssentials
import Registration

/// Why a document cannot be decoded, in one line for people.
enum UnreadableAnswer {
  static func describe(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .keyNotFound(let key, let context):
      "“\(path(context.codingPath + [key]))” is missing"
    case .typeMismatch(_, let context), .valueNotFound(_, let context):
      "“\(path(context.codingPath))” has a value of the wrong type"
    case .dataCorrupted(let context) where context.codingPath.isEmpty: "it is not JSON"
    case .dataCorrupted(let context): "“\(path(context.codingPath))” has a value that is not allowed"
    default: PrintableText.escape("\(error)", limit: 200)
    }
  }

  /// `keys.total`; `lists.0.name` for a member of an array.
  private static func path(_ keys: [any CodingKey]) -> String {
    guard !keys.isEmpty else { return "the document" }
    return PrintableText.escape(keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: "."))
  }
}
