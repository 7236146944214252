package import Curl
package import Logging
package import RateLimit
package import RegistrationAPI
package import RegistrationCore

/// Everything that can be configured, with its defaults. Durations are whole milliseconds, sizes bytes.
package struct Settings: Sendable, Equatable {
  package var site = Site.standard
  /// Overrides the site when set.
  package var url: Endpoint?
  package var apiKeyFile = "/etc/keyreg/credentials/api-key"
  package var appKeyFile = "/etc/keyreg/credentials/app-key"
  package var caFile: String?
  /// From SSL_CERT_FILE and SSL_CERT_DIR: trust roots in addition to `caFile`.
  package var certificateFile: String?
  package var certificateFolders: [String] = []
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
  /// Maximum columns of a CSV list that its results repeat.
  package var keepColumns = 0
  package var stateDirectory = "/var/lib/keyreg"
  package var socket = "/run/keyreg/control.sock"
  package var socketMode: UInt32 = 0o660
  package var listen: String?
  /// A program that is run for each notification.
  package var notifyCommand: String?
  /// Where notifications are posted. Often a secret.
  package var notifyURL: String?
  package var notifyHoldAfter = 600_000
  package var logLevel = Logger.Level.info
  package var logFormat = LogChoice.auto
  package var stopTimeout = 30_000

  /// The defaults of one instance.
  package init(instance: Instance = .main) {
    guard let name = instance.name else { return }
    spoolDirectory = "/var/spool/keyreg-\(name)"
    stateDirectory = "/var/lib/keyreg-\(name)"
    socket = "/run/keyreg-\(name)/control.sock"
    apiKeyFile = "/etc/keyreg/credentials/\(name)/api-key"
    appKeyFile = "/etc/keyreg/credentials/\(name)/app-key"
  }

  /// The highest `spool.keep_columns` that is allowed.
  package static let mostColumns = 64

  /// Where requests go.
  package var endpoint: Endpoint { url ?? Endpoint(site: site) }

  /// The configuration file of one instance.
  package static func file(instance: Instance) -> String { "/etc/keyreg/\(instance.word).yaml" }
}

/// How log lines are written.
package enum LogChoice: String, Sendable, CaseIterable {
  /// Journal priorities under systemd, text elsewhere.
  case auto
  case text
  case json
}

/// A configuration that cannot be used: what is wrong, where, and what is allowed.
package struct SettingsError: Error, Sendable, CustomStringConvertible {
  package let description: String
  package let hint: String?
  /// This user may not read the configuration.
  package let isDenied: Bool

  init(_ description: String, hint: String? = nil, isDenied: Bool = false) {
    self.description = description
    self.hint = hint
    self.isDenied = isDenied
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
      endpoint: endpoint, credentials: credentials,
      route: route, connectTimeout: connectTimeout, timeout: timeout)
  }

  /// How connections leave this machine.
  package var route: CurlRoute {
    CurlRoute(
      caFiles: [caFile, certificateFile].compactMap(\.self), caFolders: certificateFolders, proxy: proxy)
  }
}
