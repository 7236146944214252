import Glibc
import KeyList
import Registration

/// A key list that is named on the command line, as it comes: a file, a pipe, standard input.
final class InputFile {
  /// Seconds for which a FIFO may have nobody who writes to it.
  private static let patience = 5
  private static let blockSize = 1 << 16

  private let name: String
  private let descriptor: Int32
  /// Bytes, of a regular file.
  private let size: Int?
  /// What has been read already.
  private var beginning: [UInt8] = []

  /// Opens `name`, `-` for standard input, without waiting.
  init(_ name: String) throws {
    self.name = name
    descriptor = name == "-" ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw Failure(
        errno == EACCES ? .permission : .noSuchFile, "cannot read \(name): \(String(cString: strerror(errno)))")
    }
    var status = stat()
    let isKnown = fstat(descriptor, &status) == 0
    size = isKnown && status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    guard name != "-" else { return }
    if isKnown, status.st_mode & S_IFMT == S_IFIFO { try awaitWriter() }
    _ = fcntl(descriptor, F_SETFL, 0)
  }

  deinit {
    if descriptor > STDIN_FILENO { close(descriptor) }
  }

  /// Gives the content to `write`, piece by piece. Ends at the first block when that cannot be the beginning of a list, and
  /// when there are more than `limit` bytes.
  func copy(limit: Int, to write: ([UInt8]) throws -> Void) throws {
    var piece = beginning
    var beginning: [UInt8] = []
    var isChecked = false
    var total = 0
    while true {
      if piece.isEmpty { piece = try next() }
      total += piece.count
      if !isChecked {
        beginning += piece
        if piece.isEmpty || beginning.count >= Self.blockSize {
          try check(beginning)
          isChecked = true
        }
      }
      if piece.isEmpty { return }
      guard max(total, isChecked ? size ?? 0 : 0) <= limit else {
        throw Failure(
          .badList, "\(name) is larger than \(SizeText.describe(bytes: limit))",
          hint: "split it, or raise spool.max_file_size")
      }
      try write(piece)
      piece = []
    }
  }

  private func check(_ beginning: [UInt8]) throws {
    do throws(KeyListError) {
      try KeyListReader.check(beginning: beginning)
    } catch {
      throw Failure(.badList, "\(name): \(error)", hint: error.hint)
    }
  }

  /// What can be read now, at least a byte; nothing at the end.
  private func next() throws -> [UInt8] {
    while true {
      var code: Int32 = 0
      let piece = [UInt8](unsafeUninitializedCapacity: Self.blockSize) { buffer, count in
        let got = read(descriptor, buffer.baseAddress, buffer.count)
        code = got < 0 ? errno : 0
        count = max(0, got)
      }
      if code == 0 { return piece }
      if code == EINTR { continue }
      throw Failure(
        code == EISDIR ? .noSuchFile : .inputOutput, "cannot read \(name): \(String(cString: strerror(code)))")
    }
  }

  /// Waits until a FIFO has somebody who writes to it: until then it reads as empty, and from then on as "nothing yet".
  private func awaitWriter() throws {
    for _ in 0..<(Self.patience * 20) {
      var byte: UInt8 = 0
      let count = read(descriptor, &byte, 1)
      if count > 0 { beginning = [byte] }
      if count != 0 { return }
      usleep(50_000)
    }
    throw Failure(
      .tryAgain, "nobody writes to \(name): it is a FIFO that no program has opened for \(Self.patience) s",
      hint: "start the program that writes the list first, or give its output to: keyreg submit -")
  }
}
