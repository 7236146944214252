import ControlAPI
import Spool

/// Names of lists that the daemon knows: also those whose files are gone. Asked only as long as it answers, since a list
/// can be submitted without it.
struct KnownNames {
  /// Nil once there is nobody to ask.
  private var client: ControlClient?

  init(client: ControlClient?) {
    self.client = client.map { ControlClient(socket: $0.socket, timeout: .seconds(1)) }
  }

  mutating func contains(_ name: ListName) -> Bool {
    guard let client else { return false }
    do {
      _ = try client.list(name.text)
      return true
    } catch ControlClientError.refused {
      return false
    } catch {
      self.client = nil
      return false
    }
  }
}
