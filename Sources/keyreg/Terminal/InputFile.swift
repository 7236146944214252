import Glibc
import KeyList
import Registration

/// A key list named on the command line: a file, a pipe or standard input.
final class InputFile {
  /// Seconds for which a FIFO may have no writer.
  private static let patience = 5
  private static let blockSize = 1 << 16

  private let name: String
  private let descriptor: Int32
  /// Bytes, if it is a regular file.
  private let size: Int?
  /// What has already been read.
  private var beginning: [UInt8] = []

  /// Opens `name`, `-` for standard input, without waiting.
  init(_ name: String) throws {
    self.name = name
    do throws(SystemFault) {
      descriptor = name == "-" ? STDIN_FILENO : try FileIO.open(name, O_RDONLY | O_NONBLOCK)
    } catch {
      let exit: Exit =
        switch error.code {
        case EACCES, EPERM: .permission
        case ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, ENXIO, ENODEV: .noSuchFile
        default: .inputOutput
        }
      throw Failure(exit, "cannot read \(name): \(error.text)")
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

  /// Passes the content to `write` piece by piece. Stops after the first block if that cannot be the beginning of a
  /// list, and when there are more than `limit` bytes.
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

  /// What can be read now, at least one byte; nothing at the end.
  private func next() throws -> [UInt8] {
    do {
      return try [UInt8](unsafeUninitializedCapacity: Self.blockSize) { buffer, count in
        count = try FileIO.read(descriptor, into: UnsafeMutableRawBufferPointer(buffer))
      }
    } catch let fault as SystemFault {
      throw Failure(fault.code == EISDIR ? .noSuchFile : .inputOutput, "cannot read \(name): \(fault.text)")
    }
  }

  /// Waits until a FIFO has a writer: before that it reads as empty, afterwards as "nothing yet".
  private func awaitWriter() throws {
    for _ in 0..<(Self.patience * 20) {
      // Fails while there is a writer that has written nothing.
      guard let byte = try? FileIO.read(descriptor, upTo: 1) else { return }
      if !byte.isEmpty {
        beginning = byte
        return
      }
      usleep(50_000)
    }
    throw Failure(
      .tryAgain, "no program has opened the FIFO \(name) for writing within \(Self.patience) s",
      hint: "start the program that writes the list first, or pipe its output to: keyreg submit -")
  }
}
