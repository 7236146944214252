import HummingbirdCore
import NIOCore

/// The body of a request in pieces, with an end that is really its end.
struct SubmittedBody: AsyncSequence, Sendable {
  typealias Element = [UInt8]
  typealias Failure = any Error

  /// The client went away before it had sent everything.
  struct Interrupted: Error {}

  let body: RequestBody
  let channel: any Channel
  /// What `Content-Length` announced, if it did.
  let length: Int?
  /// Bytes; more is `ControlError` `.tooLarge`.
  let limit: Int

  func makeAsyncIterator() -> Iterator { Iterator(self) }

  struct Iterator: AsyncIteratorProtocol {
    private let whole: SubmittedBody
    private var pieces: RequestBody.AsyncIterator
    private var count = 0

    fileprivate init(_ whole: SubmittedBody) {
      self.whole = whole
      pieces = whole.body.makeAsyncIterator()
    }

    mutating func next() async throws -> [UInt8]? {
      let piece: ByteBuffer?
      do {
        piece = try await pieces.next()
      } catch {
        throw Interrupted()
      }
      guard let piece else {
        // Hummingbird takes the end of a connection for the end of a body. The parser below it says first that it is
        // none, but half a list must never be imported, so this does not rest on that alone.
        guard whole.channel.isActive, whole.length == nil || whole.length == count else { throw Interrupted() }
        return nil
      }
      count += piece.readableBytes
      guard count <= whole.limit else { throw SubmittedBody.tooLarge(whole.limit) }
      return Array(piece.readableBytesView)
    }
  }

  /// All of it. For bodies with a small limit.
  func collect() async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await piece in self { bytes += piece }
    return bytes
  }

  static func tooLarge(_ limit: Int) -> ControlError {
    ControlError(.tooLarge, "the body is larger than \(limit) bytes")
  }
}
