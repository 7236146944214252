import Foundation
import Glibc
import Registration

/// Why a file or folder of trust roots cannot be used. libcurl would only say so at the first connection.
struct TrustFault: Hashable {
  let problem: String
  let hint: String

  /// Bytes: twenty times what the system's own file has.
  private static let largest = 4 << 20

  /// Nil when `path` is a PEM file with certificates.
  init?(inFile path: String) {
    let bytes: [UInt8]
    do throws(SystemFault) {
      let descriptor = try FileIO.open(path, O_RDONLY | O_NONBLOCK)
      defer { close(descriptor) }
      bytes = try FileIO.read(descriptor, upTo: Self.largest)
    } catch {
      problem = "cannot be read: \(error.text)"
      hint = "name a PEM file that the daemon's user can read"
      return
    }
    guard let fault = Self.fault(in: String(decoding: bytes, as: UTF8.self)) else { return nil }
    problem = fault
    hint =
      bytes.first == 0x30
      ? "it may be in the DER form; convert it: openssl x509 -inform der -in FILE -out FILE.pem"
      : "it must have lines between -----BEGIN CERTIFICATE----- and -----END CERTIFICATE-----"
  }

  /// Nil when `path` is a folder in which certificates are found by the hash of their name, as OpenSSL looks for them.
  init?(inFolder path: String) {
    let names: [String]
    do {
      names = try FileManager.default.contentsOfDirectory(atPath: path)
    } catch {
      problem = "is not a folder that can be read"
      hint = "name folders with certificates, separated by colons"
      return
    }
    if names.contains(where: Self.isHash) { return nil }
    problem = "has no certificates that are named by hash"
    hint = "make the names with: openssl rehash DIR"
  }

  private static func fault(in text: String) -> String? {
    var rest = text[...]
    var count = 0
    while let begin = rest.firstRange(of: "-----BEGIN ") {
      rest = rest[begin.upperBound...]
      guard let label = rest.firstRange(of: "-----") else { break }
      let name = rest[..<label.lowerBound]
      rest = rest[label.upperBound...]
      guard ["CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"].contains(name) else { continue }
      count += 1
      guard let end = rest.firstRange(of: "-----END \(name)-----"), isCertificate(rest[..<end.lowerBound]) else {
        return "its certificate \(count) is damaged"
      }
      rest = rest[end.upperBound...]
    }
    return count > 0 ? nil : text.isEmpty ? "is empty" : "contains no certificate"
  }

  /// Whether `text` is Base64 of a DER sequence of its full length (X.690, 8.1).
  private static func isCertificate(_ text: Substring) -> Bool {
    guard let data = Data(base64Encoded: String(text), options: .ignoreUnknownCharacters) else { return false }
    let bytes = [UInt8](data)
    guard bytes.count > 4, bytes[0] == 0x30, bytes[1] == 0x82 else { return false }
    // A trusted certificate has more after the sequence.
    return Int(bytes[2]) << 8 | Int(bytes[3]) <= bytes.count - 4
  }

  /// `0123abcd.0`
  private static func isHash(_ name: String) -> Bool {
    let parts = name.split(separator: ".")
    return parts.count == 2 && parts[0].utf8.count == 8 && parts[0].utf8.allSatisfy(SecretText.isHexadecimal)
      && Int(parts[1]) != nil
  }
}
