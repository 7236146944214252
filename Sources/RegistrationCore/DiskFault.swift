/// The disk cannot be used.
package struct DiskFault: Sendable, Hashable {
  /// The two uses of the queue that the core waits for.
  package enum Store: Sendable, Hashable {
    case keys
    case results
  }

  /// What cannot be read or written.
  package var store: Store
  /// What is wrong, for the operator.
  package var detail: String

  package init(_ store: Store, _ detail: String) {
    self.store = store
    self.detail = detail
  }
}
