/// The address of an application key, in the API or on the vendor's pages:
/// `https://api.datadoghq.com/api/v2/application_keys/ID`, `…/organization-settings/application-keys?id=ID`.
enum KeyURL {
  private static let folders = [
    "application_keys", "application-keys", "app_keys", "app-keys", "app_key_registrations",
  ].map { Array($0.utf8) }

  /// What is in the place of the id in `text`. Nil when `text` is no address of one application key.
  static func id(in text: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    guard text.count > 36, text.contains(UInt8(ascii: "/")) else { return nil }
    let parts = text.split(omittingEmptySubsequences: false) { "/?&#".utf8.contains($0) }
    let keys = parts.indices.dropLast().filter { folders.contains(Array(parts[$0])) }
    guard keys.count == 1, let folder = keys.first else { return nil }
    let next = parts[folder + 1]
    let id = next.starts(with: "id=".utf8) ? next.dropFirst(3) : next
    // Any other id behind it would have a meaning of its own.
    guard !parts[(folder + 2)...].contains(where: { KeyIDBytes.id($0.suffix(36)) != nil }) else { return nil }
    return id
  }
}
