import Registration

/// The name of any member of a JSON object.
struct MemberName: CodingKey {
  let stringValue: String
  let intValue: Int? = nil

  init(stringValue: String) {
    self.stringValue = stringValue
  }

  init?(intValue: Int) { nil }

  /// Throws `ControlError` `.badRequest` for a member that is not in `known`.
  static func refuseUnknown(in decoder: any Decoder, known: [String]) throws {
    let names = try decoder.container(keyedBy: Self.self).allKeys.map(\.stringValue)
    guard let other = names.sorted().first(where: { !known.contains($0) }) else { return }
    throw ControlError(
      .badRequest,
      "unknown member “\(PrintableText.escape(other, limit: 80))”; known are \(known.joined(separator: ", "))")
  }
}
