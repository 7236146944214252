import Registration

/// The content of a write-ahead log, read as SQLite's recovery would read it
/// (<https://www.sqlite.org/fileformat.html#the_wal>), but before SQLite sees it.
///
/// SQLite takes the first frame with a wrong checksum for the end of the log, and silently drops everything after it.
/// After a power cut that is right: the last transaction may be torn. But each of our transactions is flushed before
/// the next begins, so a commit that is followed by another frame was safe on disk. If such a commit cannot be read,
/// the log is damaged.
struct WriteAheadLog: Hashable, Sendable {
  /// Complete transactions that SQLite will find.
  private(set) var commits = 0
  /// The numbers of the first and the last of them; nil when they have none.
  private(set) var first: CommitNumber?
  private(set) var last: CommitNumber?
  /// Bytes per page; nil when the log's header cannot be read.
  private(set) var pageSize: Int?
  /// The last commit after those that SQLite will find that was certainly flushed: the log is damaged before it.
  private(set) var stranded: Stranded?
  /// The file has bytes, but no header that SQLite accepts.
  private(set) var isHeaderBroken = false

  struct Stranded: Hashable, Sendable {
    var commit: CommitNumber?
  }

  /// A missing log.
  init() {}

  private static let headerSize = 32
  private static let frameHeaderSize = 24

  /// - Parameters:
  ///   - descriptor: The open log. It is read at offsets.
  ///   - databasePageSize: Used when the log's own header cannot be read.
  init(descriptor: Int32, databasePageSize: Int) throws(SystemFault) {
    let header = try FileIO.read(descriptor, upTo: Self.headerSize, at: 0)
    guard !header.isEmpty else { return }
    let isWhole = header.count == Self.headerSize
    let isBigEndian = isWhole && header[3] & 1 == 1
    var chain = Chain(isBigEndian: isBigEndian)
    if isWhole, let size = Self.pageSize(header) {
      chain.sum = header.withUnsafeBytes { Checksum().adding($0[..<24], isBigEndian: isBigEndian) }
      isHeaderBroken = chain.sum != Checksum(header, at: 24)
      pageSize = isHeaderBroken ? nil : size
    } else {
      isHeaderBroken = true
    }
    chain.isUnbroken = !isHeaderBroken
    chain.salt = isHeaderBroken ? nil : Array(header[16..<24])
    let length = Self.frameHeaderSize + (pageSize ?? databasePageSize)
    var offset = Self.headerSize
    while true {
      let frame = try FileIO.read(descriptor, upTo: length, at: offset)
      guard frame.count == length else { return }
      take(frame, &chain)
      offset += length
    }
  }

  private static func pageSize(_ header: [UInt8]) -> Int? {
    func word(_ offset: Int) -> UInt32 { header[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) } }
    guard word(0) | 1 == 0x377f_0683, word(4) == 3_007_000 else { return nil }
    let size = Int(word(8))
    return (512...65_536).contains(size) && size & (size - 1) == 0 ? size : nil
  }

  /// The position of the reader.
  private struct Chain {
    let isBigEndian: Bool
    /// Every frame so far is valid.
    var isUnbroken = true
    var salt: [UInt8]?
    var sum = Checksum()
    /// The number in the newest page 1 of the current transaction.
    var commit: CommitNumber?
    /// After the break: whether the previous frame was a commit, with its number.
    var before: (isCommit: Bool, commit: CommitNumber?)?

    init(isBigEndian: Bool) {
      self.isBigEndian = isBigEndian
    }
  }

  private mutating func take(_ frame: [UInt8], _ chain: inout Chain) {
    if chain.salt == nil { chain.salt = Array(frame[8..<16]) }
    // Left over from before the log restarted.
    guard frame[8..<16].elementsEqual(chain.salt ?? []) else {
      chain.isUnbroken = false
      chain.before = nil
      return
    }
    let stored = Checksum(frame, at: 16)
    let sum = frame.withUnsafeBytes { bytes in
      chain.sum.adding(bytes[..<8], isBigEndian: chain.isBigEndian).adding(bytes[24...], isBigEndian: chain.isBigEndian)
    }
    let follows = sum == stored
    let isCommit = frame[4..<8].contains { $0 != 0 }
    if frame[0..<4].elementsEqual([0, 0, 0, 1]) {
      let at = Self.frameHeaderSize + 60
      chain.commit = CommitNumber(frame[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) })
    }
    chain.sum = stored
    if chain.isUnbroken, follows {
      guard isCommit else { return }
      commits += 1
      if let commit = chain.commit {
        if first == nil { first = commit }
        last = commit
      }
      return
    }
    // A frame's checksum continues that of the frame before: if it is right, the two were written in sequence.
    if !chain.isUnbroken, follows, let before = chain.before, before.isCommit {
      stranded = Stranded(commit: before.commit)
    }
    chain.isUnbroken = false
    chain.before = (isCommit, chain.commit)
  }
}

/// SQLite's checksum of the log: two sums over pairs of words.
private struct Checksum: Hashable {
  private var one: UInt32 = 0
  private var other: UInt32 = 0

  init() {}

  /// As stored, always big-endian.
  init(_ bytes: [UInt8], at offset: Int) {
    func word(_ at: Int) -> UInt32 { bytes[at..<at + 4].reduce(0) { $0 << 8 | UInt32($1) } }
    one = word(offset)
    other = word(offset + 4)
  }

  func adding(_ bytes: Slice<UnsafeRawBufferPointer>, isBigEndian: Bool) -> Checksum {
    var sum = self
    let bytes = UnsafeRawBufferPointer(rebasing: bytes)
    var offset = 0
    while offset + 8 <= bytes.count {
      let first = bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
      let second = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)
      sum.one = sum.one &+ (isBigEndian ? first.bigEndian : first.littleEndian) &+ sum.other
      sum.other = sum.other &+ (isBigEndian ? second.bigEndian : second.littleEndian) &+ sum.one
      offset += 8
    }
    return sum
  }
}
