import ControlAPI
import Spool

/// Names of lists that the daemon knows: also those whose files are gone. Asked only as long as it answers, since a list
/// can be submitted without it.
struct KnownNames {
  private let client: ControlClient
  private var isAnswering = true

  init(client: ControlClient) {
    self.client = ControlClient(socket: client.socket, timeout: .seconds(1))
  }

  mutating func contains(_ name: ListName) -> Bool {
    guard isAnswering else { return false }
    do {
      _ = try client.list(name.text)
      return true
    } catch ControlClientError.refused {
      return false
    } catch {
      isAnswering = false
      return false
    }
  }
}
