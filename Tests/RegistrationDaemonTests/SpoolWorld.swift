// A spool with writers of every kind, from one seed: they drop lists, write in place, stall, append for as long as they hold
// a list open, write it anew, replace it, and take it away, at every step of the daemon. Its clock passes only between steps.

import Foundation
import Registration
import Spool

struct SpoolWorld {
  let folder: URL
  let spool: SpoolDirectory
  private(set) var random: SplitMix64
  /// Lists that somebody still writes to.
  private var open: [FileHandle] = []
  private var count = 0
  private(set) var deeds = 0
  /// Seconds since the beginning. Files get their times of change from this clock, too.
  private(set) var now = 0.0
  private let start = Timestamp.now()
  /// Nothing more is done.
  var isStill = false

  /// The wall clock.
  var wall: Timestamp { start.adding(seconds: now) }

  init(seed: UInt64, in folder: URL) throws {
    self.folder = folder
    spool = SpoolDirectory(path: folder.appending(path: "spool").path)
    random = SplitMix64(seed: seed)
    try spool.prepare()
  }

  mutating func unit() -> Double { random.unit() }

  /// Something happens, or nothing.
  mutating func step() {
    pass()
    guard !isStill, random.unit() < 0.25 else { return }
    deeds += 1
    // Whatever was there may be gone by now, or be elsewhere.
    switch Int(random.unit() * 10) {
    case 0...1: try? drop()
    case 2...3: try? writeInPlace()
    case 4...6: try? append()
    case 7: try? letGo()
    case 8: if let file = anyFile { try? replace(file) }
    default: if random.unit() < 0.3, let file = anyFile { try? FileManager.default.removeItem(at: file) }
    }
  }

  /// Most steps take no time worth mentioning. Some take longer than a list needs to settle, and a few longer than any
  /// writer is waited for.
  private mutating func pass() {
    let chance = random.unit()
    // In the end the daemon has a certain time, and no single step takes all of it.
    now += random.unit() * (isStill || chance < 0.8 ? 0.1 : chance < 0.98 ? 5 : 150)
  }

  /// Nothing happens for so many seconds.
  mutating func wait(_ seconds: Double) { now += seconds }

  /// Writers finish their last lines and go.
  mutating func end() throws {
    isStill = true
    for handle in open { try write([UInt8(ascii: "\n")], to: handle) }
    open = []
  }

  private func write(_ bytes: [UInt8], to handle: FileHandle) throws {
    try handle.write(contentsOf: Data(bytes))
    var times = [timespec](repeating: Self.time(wall), count: 2)
    futimens(handle.fileDescriptor, &times)
  }

  private func write(_ bytes: [UInt8], to file: URL) throws {
    try Data(bytes).write(to: file)
    var times = [timespec](repeating: Self.time(wall), count: 2)
    utimensat(AT_FDCWD, file.path, &times, 0)
  }

  private static func time(_ time: Timestamp) -> timespec {
    timespec(tv_sec: Int(time.milliseconds / 1_000), tv_nsec: Int(time.milliseconds % 1_000) * 1_000_000)
  }

  /// Writes the file anew, or puts another one in its place.
  private mutating func replace(_ file: URL) throws {
    let lines = lines(1 + Int(random.unit() * 9))
    guard random.unit() < 0.5 else { return try write(lines, to: file) }
    let draft = folder.appending(path: "draft")
    try write(lines, to: draft)
    guard rename(draft.path, file.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
  }

  private mutating func newName() -> String {
    count += 1
    // Some come under a name that was there before.
    return random.unit() < 0.2 ? "again.txt" : "\(random.unit() < 0.5 ? "a" : "z")\(count).txt"
  }

  private var incoming: URL { URL(filePath: spool.path(of: .incoming)) }

  private mutating func drop() throws {
    let lines = lines(random.unit() < 0.1 ? 4_500 : Int(random.unit() * 30))
    let draft = folder.appending(path: "draft")
    try write(lines, to: draft)
    try FileManager.default.moveItem(at: draft, to: incoming.appending(path: newName()))
  }

  private mutating func writeInPlace() throws {
    let file = incoming.appending(path: newName())
    guard FileManager.default.createFile(atPath: file.path, contents: nil) else { return }
    let handle = try FileHandle(forWritingTo: file)
    open.append(handle)
    try write(lines(Int(random.unit() * 5)), to: handle)
  }

  private mutating func append() throws {
    guard !open.isEmpty else { return }
    let index = Int(random.unit() * Double(open.count))
    var text = lines(1 + Int(random.unit() * 4))
    // In the middle of a line, now and then.
    if random.unit() < 0.2 { text.removeLast(1 + Int(random.unit() * 20)) }
    try open[index].seekToEnd()
    try write(text, to: open[index])
  }

  private mutating func letGo() throws {
    guard !open.isEmpty else { return }
    let handle = open.remove(at: Int(random.unit() * Double(open.count)))
    if random.unit() < 0.7 { try write([UInt8(ascii: "\n")], to: handle) }
    try handle.close()
  }

  /// Keys of few, so that lists have them in common, and now and then a line that is none.
  private mutating func lines(_ count: Int) -> [UInt8] {
    (0..<count).flatMap { _ -> [UInt8] in
      if random.unit() < 0.02 { return Array("not a key\n".utf8) }
      return Array("\(AppKeyID(high: 7, low: UInt64(random.unit() * 9_000)))\n".utf8)
    }
  }

  private var anyFile: URL? {
    mutating get {
      let places: [SpoolDirectory.Subfolder] = [.incoming, .reading, .done]
      let place = URL(filePath: spool.path(of: places[Int(random.unit() * 3)]))
      let names = (try? FileManager.default.contentsOfDirectory(atPath: place.path)) ?? []
      let lists = names.filter { $0.hasSuffix(".txt") }.sorted()
      return lists.isEmpty ? nil : place.appending(path: lists[Int(random.unit() * Double(lists.count))])
    }
  }
}
