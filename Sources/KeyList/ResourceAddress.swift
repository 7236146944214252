/// The addresses of resources, as Terraform's and Pulumi's commands and listings show them: `datadog_user.jane`,
/// `module.ci.datadog_application_key.this["a"]`, `datadog:index/user:User`.
enum ResourceAddress {
  private static let terraform = Array("datadog_".utf8)
  private static let pulumi = Array("datadog:".utf8)

  /// The type of the resource in `word`, if it is no application key. Nil when there is no address either.
  static func otherType(in word: ArraySlice<UInt8>) -> String? {
    guard word.count > terraform.count, let first = word.firstIndex(of: terraform[0]) else { return nil }
    if let start = word[first...].indices.first(where: {
      word[$0] == terraform[0] && word[$0...].starts(with: terraform)
    }) {
      let type = word[start...].prefix { (0x61...0x7a).contains($0) || $0 == UInt8(ascii: "_") }
      guard type.endIndex < word.endIndex, word[type.endIndex] == UInt8(ascii: ".") else { return nil }
      return JSONType(Array(type)).otherThing == nil ? nil : String(decoding: type, as: UTF8.self)
    }
    guard word.starts(with: pulumi), let colon = word.lastIndex(of: UInt8(ascii: ":")) else { return nil }
    let type = word[(colon + 1)...]
    return IDName.isKey(Array(type)) ? nil : String(decoding: type, as: UTF8.self)
  }
}
