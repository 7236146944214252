/// Checks that what a daemon sends is a queue, while it arrives. `QueueRestore` checks the content.
package struct BackupCheck {
  /// The beginning, until it is complete.
  private var beginning: [UInt8] = []
  private var size = 0
  private var expected: Int?

  package init() {}

  /// Passes bytes on once their beginning is that of a queue. Throws `BackupFault`.
  package mutating func take(
    _ bytes: UnsafeRawBufferPointer, passOn: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    size += bytes.count
    guard expected == nil else { return try passOn(bytes) }
    beginning += bytes
    guard beginning.count >= DatabaseHeader.size else { return }
    do throws(DatabaseHeaderError) {
      let header = try DatabaseHeader(Array(beginning.prefix(DatabaseHeader.size)))
      guard header.applicationID == DatabaseHeader.applicationID else {
        throw DatabaseHeaderError(flaw: .otherApplication)
      }
      expected = header.pages * header.pageSize
    } catch {
      throw BackupFault(description: "it is not a queue")
    }
    try beginning.withUnsafeBytes(passOn)
  }

  /// Throws `BackupFault` unless everything has arrived.
  package func finish() throws(BackupFault) {
    guard let expected else { throw BackupFault(description: "it is not a queue") }
    guard size == expected else { throw BackupFault(description: "it has \(size) bytes instead of \(expected)") }
  }
}

package struct BackupFault: Error, Sendable, CustomStringConvertible {
  package let description: String
}
