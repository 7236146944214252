// swift-tools-version: 6.2
import PackageDescription

// The folder list is the architecture: floor 3 is the command, floor 2 the daemon around its heart, floor 1 the heart and one
// library for each thing outside (database, endpoint, spool, control socket, stand-in API), floor 0 values and shims. A target imports only
// from the floors below it; third-party packages stay in the one target that is named for what they do.

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
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // Floor 3: the command.
    .executableTarget(
      name: "keyreg",
      dependencies: [
        "ControlAPI", "KeyList", "RegistrationDaemon", "SandboxAPI", "Spool", "Systemd", "Registration",
        "RegistrationAPI",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: settings),

    // Floor 2: assembly and policy.
    .target(
      name: "RegistrationDaemon",
      dependencies: [
        "ControlAPI", "Curl", "KeyList", "RateLimit", "Registration", "RegistrationAPI", "RegistrationCore",
        "RegistrationQueue", "Spool", "Systemd",
        .product(name: "Histogram", package: "hdrhistogram-swift"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: settings),

    // Floor 1: the heart, and one library for each thing outside.
    .target(name: "RegistrationCore", dependencies: ["RateLimit", "Registration"], swiftSettings: settings),
    .target(
      name: "RegistrationQueue",
      dependencies: ["Registration", .product(name: "GRDB", package: "GRDB.swift")],
      swiftSettings: settings),
    .target(
      name: "RegistrationAPI",
      dependencies: [
        "Curl", "RateLimit", "Registration", "Systemd", .product(name: "Crypto", package: "swift-crypto"),
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
    .target(
      name: "Systemd",
      dependencies: ["CPrctl", "Registration", .product(name: "Logging", package: "swift-log")],
      swiftSettings: settings),
    .target(
      name: "HTTPServer",
      dependencies: [
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .target(name: "Curl", dependencies: ["CCurl", "Registration"], swiftSettings: settings),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CPrctl"),

    // Hours of pacing in virtual time: tests run it briefly, the report command as long as one likes.
    .target(
      name: "PacingSimulation", dependencies: ["RateLimit", "Registration"], path: "Tests/PacingSimulation",
      swiftSettings: settings),
    .executableTarget(
      name: "pacing-report",
      dependencies: [
        "PacingSimulation", "RateLimit", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/PacingReport", swiftSettings: settings),

    // Years of the daemon's heart in virtual time, with faults of every kind.
    .target(
      name: "DaemonSimulation", dependencies: ["PacingSimulation", "RateLimit", "Registration", "RegistrationCore"],
      path: "Tests/Simulation", swiftSettings: settings),
    .executableTarget(
      name: "simulate",
      dependencies: ["DaemonSimulation", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      path: "Tests/Simulate", swiftSettings: settings),

    // One test target for each library, and one for the real binary.
    .testTarget(
      name: "ControlAPITests",
      dependencies: [
        "ControlAPI", "Registration", .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: settings),
    .testTarget(name: "CurlTests", dependencies: ["Curl"], swiftSettings: settings),
    .testTarget(name: "KeyListTests", dependencies: ["KeyList", "Registration"], swiftSettings: settings),
    .testTarget(
      name: "KeyregTests", dependencies: ["ControlAPI", "Registration", "RegistrationQueue", "SandboxAPI", "keyreg"],
      swiftSettings: settings),
    .testTarget(
      name: "RegistrationAPITests", dependencies: ["Registration", "RegistrationAPI", "Systemd"],
      swiftSettings: settings),
    .testTarget(
      name: "RegistrationCoreTests",
      dependencies: ["DaemonSimulation", "PacingSimulation", "RateLimit", "Registration", "RegistrationCore"],
      swiftSettings: settings),
    .testTarget(
      name: "RegistrationDaemonTests",
      dependencies: ["RateLimit", "Registration", "RegistrationAPI", "RegistrationDaemon", "RegistrationQueue"],
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
      name: "SandboxAPITests", dependencies: ["SandboxAPI", "Registration"], exclude: ["Fixtures"],
      swiftSettings: settings),
    .testTarget(name: "SpoolTests", dependencies: ["KeyList", "Spool", "Registration"], swiftSettings: settings),
    .testTarget(
      name: "SystemdTests",
      dependencies: ["CPrctl", "Registration", "Systemd", .product(name: "Logging", package: "swift-log")],
      swiftSettings: settings),
  ]
)
