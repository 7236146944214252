import Curl
package import Logging
package import RateLimit
package import RegistrationAPI

/// Everything that can be configured, with its defaults. Durations are whole milliseconds, sizes bytes.
package struct Settings: Sendable, Equatable {
  package var site = Site.standard
  /// Overrides the site when set.
  package var url: Endpoint?
  package var apiKeyFile = "/etc/keyreg/credentials/api-key"
  package var appKeyFile = "/etc/keyreg/credentials/app-key"
  package var caFile: String?
  package var proxy: String?
  package var connectTimeout = 5_000
  package var timeout = 30_000
  /// 1…64.
  package var workers = 16
  package var reserve = PacerSettings.Reserve.automatic
  package var assume: Allowance?
  package var maxAttempts = 8
  package var firstDelay = 1_000
  package var maxDelay = 300_000
  package var spoolDirectory = "/var/spool/keyreg"
  package var maxFileSize = 1 << 30
  package var settle = 2_000
  package var keep = 30 * 86_400_000
  package var stateDirectory = "/var/lib/keyreg"
  package var socket = "/run/keyreg/control.sock"
  package var socketMode: UInt32 = 0o660
  package var listen: String?
  package var logLevel = Logger.Level.info
  package var logFormat = LogChoice.auto
  package var stopTimeout = 30_000

  /// The defaults of one instance, or of the only one. `instance` must be a valid name.
  package init(instance: String? = nil) {
    guard let instance else { return }
    spoolDirectory = "/var/spool/keyreg-\(instance)"
    stateDirectory = "/var/lib/keyreg-\(instance)"
    socket = "/run/keyreg-\(instance)/control.sock"
    apiKeyFile = "/etc/keyreg/credentials/\(instance)/api-key"
    appKeyFile = "/etc/keyreg/credentials/\(instance)/app-key"
  }

  /// Where requests go.
  package var endpoint: Endpoint { url ?? Endpoint(site: site) }

  /// The configuration file of one instance, or of the only one.
  package static func file(instance: String?) -> String {
    "/etc/keyreg/\(instance ?? "keyreg").yaml"
  }

  /// Letters, digits, `-`, `_` and `.`, not at its beginning; at most 64: it becomes part of paths.
  package static func isInstanceName(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.count <= 64 && !text.hasPrefix(".") && !text.hasPrefix("-")
      && text.utf8.allSatisfy { byte in
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
          || [0x2d, 0x2e, 0x5f].contains(byte)
      }
  }
}

/// How log lines are written.
package enum LogChoice: String, Sendable, CaseIterable {
  /// Journal priorities under systemd, text elsewhere.
  case auto
  case text
  case json
}

/// A configuration that cannot be used: what, where, and what is allowed.
package struct SettingsError: Error, Sendable, CustomStringConvertible {
  package let description: String
  package let hint: String?

  init(_ description: String, hint: String? = nil) {
    self.description = description
    self.hint = hint
  }
}

extension Settings {
  package var pacer: PacerSettings { PacerSettings(workers: workers, reserve: reserve, assume: assume) }

  package var retryPolicy: RetryPolicy {
    RetryPolicy(
      maxAttempts: maxAttempts, firstDelay: Double(firstDelay) / 1_000, maxDelay: Double(maxDelay) / 1_000)
  }

  package func api(_ credentials: Credentials) -> APISettings {
    APISettings(
      endpoint: endpoint, credentials: credentials, route: CurlRoute(caFile: caFile, proxy: proxy),
      connectTimeout: connectTimeout, timeout: timeout)
  }
}
