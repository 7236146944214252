import Registration
import RegistrationQueue
import Spool

extension Importer {
  /// Completes what a kill interrupted: lists whose file is in its final place, or is gone, are noted as such. Call
  /// this before the first list is taken.
  package func reconcile() throws {
    var filed: [ReadyList] = []
    for list in try queue.unfiledLists() {
      let name = ListName(stored: list.name)
      // The watcher reports those in reading/.
      if try spool.status(of: name.fileName, in: .reading) != nil { continue }
      if try spool.status(of: name.fileName, in: .done) != nil {
        filed.append(ReadyList(place: .done, name: name, isStill: false))
        continue
      }
      do {
        try reading(isInterrupted: { false }).close(list)
      } catch let error as SpoolError {
        // Its keys are processed nevertheless; the next start tries again.
        log.error("a receipt cannot be written", metadata: ["list": "\(list.name)", "detail": "\(error)"])
      }
    }
    take(filed)
  }
}
