// swift-tools-version: 6.2
import PackageDescription

// The folder list is the architecture: floor 3 is the command, floor 2 the daemon around the core, floor 1 the core and
// one library for each thing outside (database, endpoint, spool, control socket, stand-in API), floor 0 values (with
// secrets and the log) and shims. A target imports only targets on lower floors; on floor 0, some import each other.
// Third-party packages stay in the one target that is named for what they do.

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "keyreg",
  products: [
    .executable(name: "keyreg", targets: ["keyreg"])
  ],
  // Exactly these: warnings are errors, so another version could end the build of whoever installs this one.
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", exact: "1.35.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1", traits: []),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: [
    // Floor 3: the command.
    .executableTarget(
      name: "keyreg",
      dependencies: [
        "ControlAPI", "Journal", "KeyList", "Registration", "RegistrationAPI", "RegistrationDaemon",
        "RegistrationQueue", "SandboxAPI", "Secrets", "Spool", "Systemd",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),

    // Floor 2: assembly and policy.
    .target(
      name: "RegistrationDaemon",
      dependencies: [
        "CSpawn", "ControlAPI", "Curl", "Journal", "KeyList", "RateLimit", "Registration", "RegistrationAPI",
        "RegistrationCore", "RegistrationQueue", "Secrets", "Spool", "Systemd",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: settings),

    // Floor 1: the core, and one library for each thing outside.
    .target(name: "RegistrationCore", dependencies: ["RateLimit", "Registration"], swiftSettings: settings),
    .target(
      name: "RegistrationQueue",
      dependencies: [
        "Registration", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "GRDBSQLite", package: "GRDB.swift"),
      ],
      swiftSettings: settings),
    .target(
      name: "RegistrationAPI",
      dependencies: [
        "Curl", "RateLimit", "Registration", "Secrets", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: settings),
    .target(
      name: "Spool",
      dependencies: ["KeyList", "Registration", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: settings),
    .target(
      name: "ControlAPI",
      dependencies: [
        "Curl", "HTTPServer", "Registration",
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      resources: [.embedInCode("Page/page.css"), .embedInCode("Page/page.js"), .embedInCode("openapi.json")],
      swiftSettings: settings),
    .target(
      name: "SandboxAPI",
      dependencies: [
        "HTTPServer", "Registration",
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      swiftSettings: settings),

    // Floor 0: values, and shims over what the system offers.
    .target(name: "Registration", swiftSettings: settings),
    .target(name: "KeyList", dependencies: ["Registration"], swiftSettings: settings),
    .target(name: "RateLimit", dependencies: ["Registration"], swiftSettings: settings),
    .target(name: "Secrets", dependencies: ["Registration"], swiftSettings: settings),
    .target(
      name: "Journal", dependencies: ["Registration", .product(name: "Logging", package: "swift-log")],
      swiftSettings: settings),
    .target(name: "Systemd", dependencies: ["CPrctl", "Registration"], swiftSettings: settings),
    .target(
      name: "HTTPServer",
      dependencies: [
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
      ],
      swiftSettings: settings),
    .target(name: "Curl", dependencies: ["CCurl", "Registration"], swiftSettings: settings),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CPrctl"),
    .systemLibrary(name: "CSpawn"),

    // Hours of pacing in virtual time: tests run a short part, the report command as much as you like.
    .target(
      name: "PacingSimulation", dependencies: ["RateLimit", "Registration"], path: "Tests/PacingSimulation",
      swiftSettings: settings),
    .executableTarget(
      name: "pacing-report",
      dependencies: [
        "PacingSimulation", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/PacingReport", swiftSettings: settings),

    // Years of the daemon's core in virtual time, with faults of every kind.
    .target(
      name: "DaemonSimulation",
      dependencies: ["PacingSimulation", "RateLimit", "Registration", "RegistrationCore", "RegistrationQueue"],
      path: "Tests/Simulation", swiftSettings: settings),
    .executableTarget(
      name: "simulate",
      dependencies: ["DaemonSimulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Tests/Simulate", swiftSettings: settings),

    // The queue alone, timed: for Tests/Benchmarks/run.py.
    .executableTarget(
      name: "queue-bench",
      dependencies: [
        "Registration", "RegistrationQueue", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/Benchmarks/QueueBench", swiftSettings: settings),

    // One test target for each library, and one for the real binary.
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: settings),
    .testTarget(
      name: "ControlAPITests",
      dependencies: [
        "ControlAPI", "Registration", "TestSupport", .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: settings),
    .testTarget(name: "CurlTests", dependencies: ["Curl"], swiftSettings: settings),
    .testTarget(
      name: "JournalTests",
      dependencies: ["Journal", "Registration", "TestSupport", .product(name: "Logging", package: "swift-log")],
      swiftSettings: settings),
    .testTarget(name: "KeyListTests", dependencies: ["KeyList", "Registration"], swiftSettings: settings),
    .testTarget(
      name: "KeyregTests",
      dependencies: [
        "ControlAPI", "Registration", "RegistrationQueue", "SandboxAPI", "TestSupport", "keyreg",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "RegistrationAPITests", dependencies: ["Registration", "RegistrationAPI", "Secrets"],
      swiftSettings: settings),
    .testTarget(
      name: "RegistrationCoreTests",
      dependencies: ["DaemonSimulation", "PacingSimulation", "RateLimit", "Registration", "RegistrationCore"],
      swiftSettings: settings),
    .testTarget(
      name: "RegistrationDaemonTests",
      dependencies: [
        "ControlAPI", "Curl", "KeyList", "RateLimit", "Registration", "RegistrationAPI", "RegistrationCore",
        "RegistrationDaemon", "RegistrationQueue", "Secrets", "Spool", "TestSupport",
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "RegistrationQueueTests",
      dependencies: ["Registration", "RegistrationQueue", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: settings),
    .testTarget(
      name: "RateLimitTests", dependencies: ["PacingSimulation", "RateLimit"], resources: [.copy("Fixtures")],
      swiftSettings: settings),
    .testTarget(name: "RegistrationTests", dependencies: ["Registration"], swiftSettings: settings),
    .testTarget(
      name: "SandboxAPITests",
      dependencies: ["SandboxAPI", "Registration", .product(name: "HTTPTypes", package: "swift-http-types")],
      exclude: ["Fixtures"],
      swiftSettings: settings),
    .testTarget(
      name: "SecretsTests",
      dependencies: ["Secrets", "TestSupport", .product(name: "Logging", package: "swift-log")],
      swiftSettings: settings),
    .testTarget(name: "SpoolTests", dependencies: ["KeyList", "Spool", "Registration"], swiftSettings: settings),
    .testTarget(name: "SystemdTests", dependencies: ["CPrctl", "Systemd", "TestSupport"], swiftSettings: settings),
  ]
)
