import Foundation
import Registration

/// The content of an error body in any of its known forms: JSON:API objects, plain strings, an edge's own object, HTML,
/// or nothing. All of it is foreign text, cut and escaped before it is stored or shown.
package struct ErrorBody: Hashable, Sendable {
  package var title: String?
  package var detail: String?
  /// The content of its array `errors`, unchanged; empty when the body is not the API's.
  private var said: [String] = []

  /// Characters kept of a title and of a detail.
  private static let titleLimit = 200
  private static let detailLimit = 500

  /// - Parameter redaction: Applied before anything is cut, so that no half of a secret remains.
  package init(_ body: [UInt8], redaction: Redaction = .none) {
    guard !body.isEmpty else { return }
    // Text that is not JSON is not an error: it is another of the forms.
    let value = try? JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)
    if let object = value as? [String: Any] { read(object) }
    if title == nil, detail == nil {
      let text = Self.visibleText(redaction(value.flatMap(Self.plain) ?? body))
      if !text.isEmpty { detail = text }
    }
    title = title.map { PrintableText.escape(redaction($0), limit: Self.titleLimit) }
    detail = detail.map { PrintableText.escape(redaction($0), limit: Self.detailLimit) }
  }

  private mutating func read(_ object: [String: Any]) {
    var titles: [String] = []
    var details: [String] = []
    let errors = object["errors"]
    for error in errors as? [Any] ?? [errors as Any] {
      if let text = error as? String {
        details.append(text)
      } else if let error = error as? [String: Any] {
        if let title = error["title"] as? String { titles.append(title) }
        if let detail = error["detail"] as? String { details.append(detail) }
      }
    }
    if errors is [Any] { said = (titles + details).filter { !Self.isPage($0) } }
    if titles.isEmpty, details.isEmpty, let message = object["message"] as? String { details.append(message) }
    if !titles.isEmpty { title = titles.joined(separator: "; ") }
    if !details.isEmpty { detail = details.joined(separator: "; ") }
  }

  /// Whether the API itself has spoken: JSON with an array `errors`, whose text says more than the name of a status, be
  /// it this one or another. A gateway's page, an empty body or a router's `{"errors":["Not found"]}` says nothing about
  /// a key.
  package func isWord(on status: Int) -> Bool {
    // "Forbidden" is all that the API says with a 403.
    if status == 403 { return said.contains { !$0.isEmpty } }
    return said.contains { text in Self.words(text).contains { !Self.emptyWords.contains($0) } }
  }

  /// Whether it has the form of the API's errors, whatever it says.
  package var isTheAPIs: Bool { said.contains { !$0.isEmpty } }

  /// Words that say nothing about a key: the names of all error statuses, and what any router's text may contain beside
  /// them.
  private static let emptyWords = Set(
    words(
      """
      a an and be by cannot code could does entity error errors exist for has http invalid is it match no on or page path \
      request requested resource route endpoint server sorry status such temporarily that the this time out uri url was were \
      your
      """)
      + (400..<600).flatMap { words(StatusPhrase.text($0)) })

  /// A gateway's page, in any member: the API sends no tags.
  private static func isPage(_ text: String) -> Bool {
    zip(text, text.dropFirst()).contains { $0 == "<" && ($1.isLetter || $1 == "/" || $1 == "!") }
  }

  private static func words(_ text: String) -> [String] {
    text.lowercased().split { !$0.isLetter }.map(String.init)
  }

  /// JSON of another form without its escapes, which could hide a secret.
  private static func plain(_ value: Any) -> [UInt8]? {
    let options: JSONSerialization.WritingOptions = [.fragmentsAllowed, .withoutEscapingSlashes, .sortedKeys]
    // What was parsed can be written; if not, the body is shown as it came.
    return (try? JSONSerialization.data(withJSONObject: value, options: options)).map { Array($0) }
  }

  /// The text of a page without tags and with white space folded: enough to recognise a proxy's error page.
  private static func visibleText(_ body: [UInt8]) -> String {
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
