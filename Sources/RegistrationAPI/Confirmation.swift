import Foundation
import Registration

/// The answer that confirms a registration: `{"data":{"id":…,"type":"app_key_registration"}}` with the id of the key, whatever
/// else it contains.
///
/// Nearly every reply of a run is exactly this, so it is recognised from its bytes; a decoder costs many times as much. Anything
/// else (more members, escapes) goes to the decoder.
enum Confirmation {
  static let type = "app_key_registration"

  static func confirms(_ body: [UInt8], _ id: AppKeyID) -> Bool {
    body.withUnsafeBytes { isPlain($0, id) } || decodes(body, id)
  }

  private static func decodes(_ body: [UInt8], _ id: AppKeyID) -> Bool {
    struct Document: Decodable {
      struct Resource: Decodable {
        var id: String
        var type: String
      }
      var data: Resource
    }
    // A body that cannot be decoded confirms nothing.
    guard let resource = try? JSONDecoder().decode(Document.self, from: Data(body)).data else { return false }
    return resource.type == type && AppKeyID(resource.id) == id
  }

  /// Whether the body is exactly the expected one, its two members in either order. False means nothing.
  private static func isPlain(_ body: UnsafeRawBufferPointer, _ id: AppKeyID) -> Bool {
    var scanner = Scanner(body: body)
    guard scanner.take("{"), scanner.takeString("data"), scanner.take(":"), scanner.take("{") else { return false }
    var isNamed = false
    var isTyped = false
    repeat {
      if !isNamed, scanner.takeString("id") {
        isNamed = scanner.take(":") && scanner.takeString(id.description)
        guard isNamed else { return false }
      } else if !isTyped, scanner.takeString("type") {
        isTyped = scanner.take(":") && scanner.takeString(type)
        guard isTyped else { return false }
      } else {
        return false
      }
    } while scanner.take(",")
    return isNamed && isTyped && scanner.take("}") && scanner.take("}") && scanner.isAtEnd
  }

  /// Reads expected JSON tokens, skipping white space before each.
  private struct Scanner {
    let body: UnsafeRawBufferPointer
    private var place = 0

    init(body: UnsafeRawBufferPointer) {
      self.body = body
    }

    private mutating func skipSpace() {
      while place < body.count {
        switch body[place] {
        case 0x20, 0x0a, 0x0d, 0x09: place += 1
        default: return
        }
      }
    }

    var isAtEnd: Bool {
      mutating get {
        skipSpace()
        return place == body.count
      }
    }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard place < body.count, body[place] == UInt8(ascii: character) else { return false }
      place += 1
      return true
    }

    /// Reads this string, written without escapes.
    mutating func takeString(_ expected: String) -> Bool {
      skipSpace()
      let end = place + expected.utf8.count + 1
      guard end < body.count, body[place] == UInt8(ascii: "\""), body[end] == UInt8(ascii: "\""),
        body[place + 1..<end].elementsEqual(expected.utf8)
      else { return false }
      place = end + 1
      return true
    }
  }
}
