import Foundation
import Registration
import RegistrationAPI
import Testing

/// What confirms a key is read from bytes where it can be: it must be what a JSON decoder would take for a confirmation.
@Suite struct ConfirmationTests {
  private static let id = "b7feea52-994e-4714-a100-1bd9eff5aee1"

  private static let bodies = [
    #"{"data":{"id":"\#(id)","type":"app_key_registration"}}"#,
    #" { "data" : { "type" : "app_key_registration" , "id" : "\#(id)" } } "#,
    #"{"data":{"id":"\#(id)","type":"app_key_registration","attributes":{"at":1}},"meta":null}"#,
    #"{"data":{"\u0069d":"\#(id)","type":"app\u005fkey_registration"}}"#,
    #"{"data":{"id":"\#(id.uppercased())","type":"app_key_registration"}}"#,
    #"{"data":{"id":"00000000-0000-0000-0000-000000000000","type":"app_key_registration"}}"#,
    #"{"data":{"id":"\#(id)","type":"app_key_registration"}}{}"#,
    #"{"data":{"id":"\#(id)"}}"#, #"{"data":{"type":"app_key_registration"}}"#, #"{"data":{}}"#, "{}", "",
  ]

  private func confirms(_ body: [UInt8]) throws -> Bool {
    let verdict = Verdict(
      status: 201, body: body, isBodyTruncated: false, location: nil, registering: try #require(AppKeyID(Self.id)))
    return verdict == .registered(status: 201)
  }

  private func decodes(_ body: [UInt8]) -> Bool {
    struct Document: Decodable {
      struct Resource: Decodable {
        var id: String
        var type: String
      }
      var data: Resource
    }
    guard let data = try? JSONDecoder().decode(Document.self, from: Data(body)).data else { return false }
    return data.type == "app_key_registration" && data.id.lowercased() == Self.id
  }

  @Test(arguments: bodies) func everyByteOfABodyIsReadAsADecoderReadsIt(text: String) throws {
    let body = Array(text.utf8)
    #expect(try confirms(body) == decodes(body))
    for place in body.indices {
      for byte in [nil] + Array("\"\\{}:, x\u{0}\u{ff}".utf8).map(Optional.init) {
        var changed = body
        if let byte { changed[place] = byte } else { changed.remove(at: place) }
        #expect(try confirms(changed) == decodes(changed), "\(String(decoding: changed, as: UTF8.self))")
        guard let byte else { continue }
        changed = body
        changed.insert(byte, at: place)
        #expect(try confirms(changed) == decodes(changed), "\(String(decoding: changed, as: UTF8.self))")
      }
    }
  }
}
