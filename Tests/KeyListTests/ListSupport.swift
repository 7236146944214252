import KeyList
import Registration

extension SplitMix64 {
  mutating func id() -> AppKeyID {
    AppKeyID(high: next(), low: next())
  }
}

/// A list that arrives in pieces of given sizes, over and over.
struct PiecedSource: KeyListSource {
  private let bytes: [UInt8]
  private let sizes: [Int]
  private var position = 0
  private var turn = 0

  init(_ bytes: [UInt8], sizes: [Int]) {
    self.bytes = bytes
    self.sizes = sizes
  }

  mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, bytes.count - position, max(1, sizes[turn % sizes.count]))
    turn += 1
    buffer.copyBytes(from: bytes[position..<position + count])
    position += count
    return count
  }
}

/// `count` times `unit`, one byte or a few.
struct RepeatedSource: KeyListSource {
  private let unit: [UInt8]
  private var left: Int
  private var offset = 0

  init(_ unit: String, times: Int) {
    self.unit = Array(unit.utf8)
    left = self.unit.count * times
  }

  mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, left)
    for position in 0..<count {
      buffer[position] = unit[offset]
      offset = offset + 1 == unit.count ? 0 : offset + 1
    }
    left -= count
    return count
  }
}

extension KeyListReader {
  /// Everything that is left.
  mutating func all() throws(KeyListError) -> [KeyListEntry] {
    var entries: [KeyListEntry] = []
    while let entry = try next() { entries.append(entry) }
    return entries
  }
}

/// The entries of `list`, shown as `LINE ID` and `LINE! REASON`.
func entries(_ list: some Sequence<UInt8>) throws(KeyListError) -> [String] {
  var reader = KeyListReader(bytes: list)
  return try reader.all().map(\.shown)
}

func entries(_ list: String) throws(KeyListError) -> [String] {
  try entries(list.utf8)
}

extension KeyListEntry {
  var shown: String {
    switch self {
    case .key(let id, let line): "\(line) \(names[id] ?? id.description)"
    case .invalid(let bad): "\(bad.line)! \(bad.text) | \(bad.reason)"
    }
  }

  var key: AppKeyID? {
    if case .key(let id, _) = self { id } else { nil }
  }

  var bad: InvalidLine? {
    if case .invalid(let line) = self { line } else { nil }
  }
}

/// Ids with short names, to keep the tables readable.
let a = "00000000-0000-4000-8000-00000000000a"
let b = "11111111-1111-5111-9111-11111111111b"
let c = "cccccccc-CCCC-1ccc-accc-cccccccccccc"
private let names: [AppKeyID: String] = {
  var names: [AppKeyID: String] = [:]
  for (text, name) in [(a, "a"), (b, "b"), (c, "c")] {
    if let id = AppKeyID(text) { names[id] = name }
  }
  return names
}()
