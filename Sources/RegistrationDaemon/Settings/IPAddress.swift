import Glibc

/// An address as libcurl compares it with NO_PROXY: with whole addresses and networks, never as text.
struct IPAddress: Sendable {
  private let bytes: [UInt8]

  /// Nil for a name. An address of version 6 may be in brackets.
  init?(_ text: some StringProtocol) {
    let plain = text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : String(text)
    for (family, size) in [(AF_INET, 4), (AF_INET6, 16)] {
      var bytes = [UInt8](repeating: 0, count: size)
      if inet_pton(family, plain, &bytes) == 1 {
        self.bytes = bytes
        return
      }
    }
    return nil
  }

  /// Whether `network`, an address or `ADDRESS/BITS`, contains the address.
  func isIn(_ network: Substring) -> Bool {
    let parts = network.split(separator: "/", maxSplits: 1)
    guard let start = parts.first.flatMap({ IPAddress($0) }), start.bytes.count == bytes.count else { return false }
    var bits = parts.count == 2 ? Int(parts[1]) ?? -1 : bytes.count * 8
    // libcurl takes 0 for the whole address.
    if bits == 0 { bits = bytes.count * 8 }
    guard (1...bytes.count * 8).contains(bits) else { return false }
    return zip(bytes, start.bytes).enumerated().allSatisfy { index, pair in
      let rest = min(8, max(0, bits - index * 8))
      return (pair.0 ^ pair.1) >> (8 - rest) == 0
    }
  }
}
