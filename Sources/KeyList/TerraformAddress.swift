/// The addresses of Terraform's resources, as commands and listings show them: `datadog_user.jane`,
/// `module.ci.datadog_application_key.this["a"]`.
enum TerraformAddress {
  private static let prefix = Array("datadog_".utf8)

  /// The type of the resource in `word`: what is between `datadog_` and the full stop. Nil when there is no address.
  static func type(in word: ArraySlice<UInt8>) -> String? {
    guard word.count > prefix.count, let start = word.firstRange(of: prefix) else { return nil }
    let type = word[start.lowerBound...].prefix { (0x61...0x7a).contains($0) || $0 == UInt8(ascii: "_") }
    guard type.endIndex < word.endIndex, word[type.endIndex] == UInt8(ascii: ".") else { return nil }
    return String(decoding: type, as: UTF8.self)
  }
}
