import Foundation
import Registration

/// What an error body says, in whichever of its seen forms: JSON:API objects, plain strings, an edge's own object, HTML,
/// or nothing. All of it is foreign text: cut and escaped before anybody stores or shows it.
package struct ErrorBody: Hashable, Sendable {
  package var title: String?
  package var detail: String?

  /// Characters kept of a title and of a detail.
  private static let titleLimit = 200
  private static let detailLimit = 500

  package init(_ body: [UInt8], contentType: String? = nil) {
    guard !body.isEmpty else { return }
    if let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] {
      // Not JSON is no error here: it is another of the forms.
      read(object)
    } else if let text = Self.visibleText(body), !text.isEmpty {
      detail = PrintableText.escape(text, limit: Self.detailLimit)
    }
  }

  private mutating func read(_ object: [String: Any]) {
    var titles: [String] = []
    var details: [String] = []
    for error in object["errors"] as? [Any] ?? [] {
      if let text = error as? String {
        details.append(text)
      } else if let error = error as? [String: Any] {
        if let title = error["title"] as? String { titles.append(title) }
        if let detail = error["detail"] as? String { details.append(detail) }
      }
    }
    if titles.isEmpty, details.isEmpty, let message = object["message"] as? String { details.append(message) }
    title = titles.isEmpty ? nil : PrintableText.escape(titles.joined(separator: "; "), limit: Self.titleLimit)
    detail = details.isEmpty ? nil : PrintableText.escape(details.joined(separator: "; "), limit: Self.detailLimit)
  }

  /// The text of a page without its tags, white space folded: enough to recognise a proxy's error page by.
  private static func visibleText(_ body: [UInt8]) -> String? {
    var text = ""
    var isTag = false
    for character in String(decoding: body.prefix(4096), as: UTF8.self) {
      switch character {
      case "<": isTag = true
      case ">":
        isTag = false
        text.append(" ")
      default: if !isTag { text.append(character) }
      }
    }
    return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
