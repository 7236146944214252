// libFuzzer's entry. One program has every target; KEYREG_FUZZ names the one that runs. Not part of the package: fuzz.sh
// builds and runs it.

import Glibc

private let targets: [String: @Sendable ([UInt8]) -> Void] = [
  "lists": fuzzLists, "answers": fuzzAnswers, "headers": fuzzHeaders, "pacer": fuzzPacer, "settings": fuzzSettings,
  "routes": fuzzRoutes, "queue": fuzzQueue,
]

private let target: @Sendable ([UInt8]) -> Void = {
  let name = getenv("KEYREG_FUZZ").map { String(cString: $0) } ?? ""
  guard let target = targets[name] else { fatalError("KEYREG_FUZZ must be one of \(targets.keys.sorted())") }
  return target
}()

@_cdecl("LLVMFuzzerTestOneInput")
package func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  target(Array(UnsafeBufferPointer(start: start, count: count)))
  return 0
}

/// Ends the process, so that libFuzzer keeps the input.
func require(_ isTrue: @autoclosure () -> Bool, _ message: @autoclosure () -> String) {
  if !isTrue() { fatalError(message()) }
}

/// Text for people has no character that could move a cursor, start a line or hide its direction.
func requirePrintable(_ text: String?, _ what: String) {
  guard let text else { return }
  for scalar in text.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator:
      fatalError("\(what) has U+\(String(scalar.value, radix: 16))")
    default: continue
    }
  }
}

extension Sequence<UInt8> {
  var text: String { String(decoding: Array(self), as: UTF8.self) }
}
