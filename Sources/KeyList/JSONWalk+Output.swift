/// What the outputs and the state of Terraform say about the values in them.
extension JSONWalk {
  /// In an output that is not declared as a map, a name may say that a value is that of something else.
  func otherName(in parent: Frame) -> [UInt8]? {
    guard parent.isMap, stack.count > 1, !stack[stack.count - 2].isMapOutput else { return parent.otherName }
    return IDName.meaning(of: memberName) == .other ? memberName : nil
  }

  /// The value of an output may be one key with its attributes, of which only the id counts.
  func takeAsOneKey(_ frame: inout Frame) throws(KeyListError) {
    var ahead = JSONWalk(bytes, line: frame.container.line)
    while try ahead.next() != nil {}
    guard ahead.flaw == nil, let root = ahead.root, root.named != nil else { return }
    (frame.isMap, frame.isKey) = (false, true)
    if frame.meaning == .keys { frame.array = Found.singles }
    if root.hasUnnamedID { frame.container.flaw = .unclear(.unnamedBeside) }
  }

  /// Whether the object that was just opened is an application key; it may say so only at its end.
  func isKeyResource(_ line: Int) throws(KeyListError) -> Bool {
    var ahead = JSONWalk(bytes, line: line)
    while try ahead.next() != nil {}
    return ahead.flaw == nil && ahead.type.map { $0.otherThing == nil } == true
  }
}
