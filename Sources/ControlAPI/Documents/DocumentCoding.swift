import FoundationEssentials

/// How documents are converted to JSON and back: in one place, so that server, client and tests agree.
package enum DocumentCoding {
  /// Members in alphabetical order, so that two answers can be compared as text.
  package static func encode(_ document: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(document))
  }

  package static func decode<Document: Decodable>(_ type: Document.Type, from bytes: [UInt8]) throws -> Document {
    try JSONDecoder().decode(type, from: Data(bytes))
  }
}
