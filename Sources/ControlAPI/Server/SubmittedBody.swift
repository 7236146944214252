import HummingbirdCore
import NIOCore

/// The body of a request in pieces, with a reliable end.
struct SubmittedBody: AsyncSequence, Sendable {
  typealias Element = [UInt8]
  typealias Failure = any Error

  /// The client went away before it had sent everything, or it sent what is not HTTP.
  struct Interrupted: Error {
    /// What the server library said.
    var cause: (any Error)?
  }

  /// Bytes up to which a whole body needs no place among the large ones.
  private static let small = 64 * 1024

  let body: RequestBody
  let channel: any Channel
  /// The value of `Content-Length`, if there is one.
  let length: Int?
  /// Bytes; a larger body is `ControlError` `.tooLarge`.
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
        throw Interrupted(cause: error)
      }
      guard let piece else {
        // Hummingbird takes the end of a connection for the end of a body. The parser below it reports an error first,
        // but half a list must never be imported, so this does not rely on that alone.
        guard whole.channel.isActive, whole.length == nil || whole.length == count else { throw Interrupted() }
        return nil
      }
      count += piece.readableBytes
      guard count <= whole.limit else { throw SubmittedBody.tooLarge(whole.limit) }
      return Array(piece.readableBytesView)
    }
  }

  /// The whole body, for bodies with a small limit, and its place among the large ones if it is one.
  func collect(_ large: LongExchanges) async throws -> (bytes: [UInt8], place: LongExchanges.Slot?) {
    var bytes: [UInt8] = []
    var place: LongExchanges.Slot?
    for try await piece in self {
      bytes += piece
      if bytes.count > Self.small, place == nil { place = try large.take() }
    }
    return (bytes, place)
  }

  static func tooLarge(_ limit: Int) -> ControlError {
    ControlError(.tooLarge, "the body is larger than \(limit) bytes")
  }
}
