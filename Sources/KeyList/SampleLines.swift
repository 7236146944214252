/// The lines of the beginning of a list.
struct SampleLines {
  struct Line {
    var text: ArraySlice<UInt8>
    var number: Int
    /// False when the line continues after the sample.
    var isComplete: Bool
    /// True when a line end follows it.
    var isTerminated: Bool
    /// Set by the caller: no line with words followed.
    var isOnly = true
  }

  private var rest: ArraySlice<UInt8>
  private let isWhole: Bool
  private var number: Int

  init(_ sample: ArraySlice<UInt8>, isWhole: Bool, firstLine: Int) {
    rest = sample
    self.isWhole = isWhole
    number = firstLine
  }

  /// Where the next line begins.
  var position: Int { rest.startIndex }

  mutating func next() -> Line? {
    guard !rest.isEmpty else { return nil }
    let end = rest.firstIndex(where: Edges.isLineEnd)
    let line = Line(
      text: rest[..<(end ?? rest.endIndex)], number: number, isComplete: end != nil || isWhole, isTerminated: end != nil
    )
    guard let end else {
      rest = rest[rest.endIndex...]
      return line
    }
    let isPair = rest[end] == UInt8(ascii: "\r") && rest[(end + 1)...].first == UInt8(ascii: "\n")
    rest = rest[(end + (isPair ? 2 : 1))...]
    number += 1
    return line
  }
}
