/// The names that the current line of a text list is below: each is inside the one before it.
struct HeadingStack {
  private var names: [TextHeading] = []

  /// The innermost name, until something closes it.
  var last: TextHeading? { names.last }
  /// Whether the line is part of an application key, or of a list of them.
  var isBelowKeys: Bool { names.contains { $0.meaning == .keys } }
  var isNested: Bool { names.count > 1 }
  var depth: Int { names.count }
  /// Below the name of something else no id counts.
  var isBelowOther: Bool { last?.meaning == .other }

  mutating func enter(_ name: TextHeading) {
    while let last, !name.isInside(last) { names.removeLast() }
    names.append(name)
  }

  /// A line that begins at `indent`, perhaps with a name, and so to the left of what is inside a heading, ends it if it
  /// is inside another one.
  mutating func leave(at indent: Int, isNamed: Bool) {
    while isNested, let last, !last.isBlock, indent < last.indent || isNamed && indent == last.indent {
      names.removeLast()
    }
  }

  /// False when the innermost name is not closed by a line with `text`.
  mutating func close(by text: ArraySlice<UInt8>) -> Bool {
    guard let last, last.isClosed(by: text) else { return false }
    names.removeLast()
    return true
  }

  /// The text of several lines that the name at this depth began is over.
  mutating func leave(from depth: Int) { names = Array(names.prefix(depth - 1)) }

  /// Notes a name on a line of its own. False when it belongs to what is below the name of something else.
  mutating func note(_ name: TextHeading) -> Bool {
    let isPart = isBelowOther && last.map(name.isInside) == true
    if !isPart || name.isSpecific { enter(name) } else if name.isBlock { enter(name.asOther) }
    return !isPart
  }

  /// Notes a comment, which may be the name of something else, or of keys, which ends it.
  mutating func note(comment line: ArraySlice<UInt8>) {
    guard line.count <= 200 else { return }
    let text = Edges.trimmed(CleanText.clean(line))
    guard text.first == UInt8(ascii: "#"), let name = TextHeading(comment: text) else { return }
    names = name.meaning == .other ? [name] : []
  }
}
