import Dispatch
import Registration
import Synchronization

/// Waits until several files are on disk, for all of them at the same time.
///
/// Flushes that are pending together are done by the disk together: so a file among many costs a tenth of what it costs
/// when one is waited for after the other.
enum GroupSync {
  /// Returns the fault of each file's `fsync(2)`, nil for a file that is on disk. Blocks.
  static func faults(of descriptors: [Int32]) -> [SystemFault?] {
    let faults = Mutex([SystemFault?](repeating: nil, count: descriptors.count))
    DispatchQueue.concurrentPerform(iterations: descriptors.count) { @Sendable number in
      do throws(SystemFault) {
        try FileIO.sync(descriptors[number])
      } catch {
        faults.withLock { $0[number] = error }
      }
    }
    return faults.withLock(\.self)
  }
}
