// swift-tools-version: 6.2
import PackageDescription

/// The language rules every Swift target of the package obeys.
let rules: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .treatAllWarnings(as: .error),
]

/// Shipped code also has to mark each unsafe expression.
let shipped: [SwiftSetting] = rules + [.strictMemorySafety()]

/// Loop-confined classes need no dynamic exclusivity checks, which cost 0.5 us of a 5 us echo.
///
/// Debug builds, and so the tests, keep them.
let hot: [SwiftSetting] =
  shipped + [.unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))]

/// The command carries the Swift libraries in itself: it runs where there is no Swift, and calls that
/// need no indirection take 4 to 7 % off a served message.
let isSelfContained = "-static-stdlib"

/// What the command and all that it alone links are compiled with.
let commandRules: [SwiftSetting] =
  shipped + [.unsafeFlags([isSelfContained], .when(configuration: .release))]

/// Whether the parsers are built to be fuzzed: see Tests/Fuzz/run.
let isFuzzed = Context.environment["FUZZ"] != nil

/// What libFuzzer has to see the branches of.
let fuzzed: [SwiftSetting] =
  isFuzzed ? [.unsafeFlags(["-sanitize=fuzzer,address", "-parse-as-library"])] : []

let package = Package(
  name: "triwire",
  products: [
    .library(name: "Triwire", targets: ["Triwire"]),
    .library(name: "TriwireFaults", targets: ["TriwireFaults"]),
    .executable(name: "triwire", targets: ["TriwireCLI"]),
  ],
  targets: [
    // System libraries and the C shim.
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .target(name: "CLinux", dependencies: ["COpenSSL"]),

    // Bytes to events and back; bytes and time. These two never see each other.
    .target(name: "TriwireCodec", dependencies: ["CZlib"], swiftSettings: hot + fuzzed),
    .target(name: "TriwireIO", dependencies: ["CLinux", "COpenSSL"], swiftSettings: hot),

    // The library, the instrument built on it, and the command.
    .target(name: "Triwire", dependencies: ["TriwireCodec", "TriwireIO"], swiftSettings: hot),
    .target(
      name: "TriwireBench", dependencies: ["Triwire", "TriwireFaults", "CZlib"],
      swiftSettings: commandRules),
    // Breaks things between a client and a server; knows neither of ours.
    .target(
      name: "TriwireFaults", dependencies: ["TriwireCodec", "TriwireIO"], swiftSettings: shipped),
    .executableTarget(
      name: "TriwireCLI", dependencies: ["Triwire", "TriwireBench", "TriwireFaults"],
      swiftSettings: commandRules,
      linkerSettings: [.unsafeFlags([isSelfContained], .when(configuration: .release))]),

    // What the tests share: deadlines, mailboxes, and peers that keep to no rules.
    .target(
      name: "TestSupport", dependencies: ["TriwireIO"], path: "Tests/TestSupport",
      swiftSettings: rules),
    // What is fuzzed, and replayed by the tests.
    .target(
      name: "FuzzedParsers", dependencies: ["TriwireCodec"], path: "Tests/Fuzz/Parsers",
      swiftSettings: rules + fuzzed),
    // Plays the Autobahn Testsuite's cases; see Tests/Autobahn/run.
    .executableTarget(
      name: "AutobahnClient", dependencies: ["Triwire"], path: "Tests/Autobahn/Client",
      swiftSettings: rules),

    // Compares what servers of others echo; see Tests/Clients/real_servers.py.
    .executableTarget(
      name: "EchoClient", dependencies: ["Triwire"], path: "Tests/Clients/EchoClient",
      swiftSettings: rules),

    // Goes to an echo server through proxies that nobody here wrote; see Tests/Proxies/run.
    .executableTarget(
      name: "ProxyClient", dependencies: ["Triwire"], path: "Tests/Proxies/Client",
      swiftSettings: rules),

    // The programs of the embedding guide, so that they are known to compile.
    .executableTarget(
      name: "GuideServer", dependencies: ["Triwire"], path: "Tests/Guides/Server",
      swiftSettings: rules),
    .executableTarget(
      name: "GuideClient", dependencies: ["Triwire"], path: "Tests/Guides/Client",
      swiftSettings: rules),

    // Prints how fast the inner loops are; see the file.
    .executableTarget(
      name: "CodecSpeed", dependencies: ["TriwireCodec"], path: "Tests/Figures/CodecSpeed",
      swiftSettings: rules),

    // Many sessions that lose their server, or move up; see Tests/Figures/storm and upgrades.
    .executableTarget(
      name: "Crowd", dependencies: ["Triwire", "TriwireFaults"], path: "Tests/Figures/Crowd",
      swiftSettings: rules),

    .testTarget(
      name: "TriwireCodecTests", dependencies: ["TriwireCodec", "FuzzedParsers"],
      swiftSettings: rules),
    .testTarget(
      name: "TriwireIOTests", dependencies: ["TriwireIO", "TestSupport"], swiftSettings: rules),
    .testTarget(
      name: "TriwireTests", dependencies: ["Triwire", "TriwireCodec", "TriwireIO", "TestSupport"],
      swiftSettings: rules),
    .testTarget(
      name: "TriwireFaultsTests",
      dependencies: ["TriwireFaults", "Triwire", "TriwireIO", "TestSupport"], swiftSettings: rules),
    .testTarget(name: "TriwireBenchTests", dependencies: ["TriwireBench"], swiftSettings: rules),
    .testTarget(
      name: "TriwireCLITests", dependencies: ["TriwireCLI", "TriwireBench"], swiftSettings: rules),
  ]
)

if isFuzzed {
  package.targets.append(
    .executableTarget(
      name: "Fuzz", dependencies: ["FuzzedParsers"], path: "Tests/Fuzz/Program",
      swiftSettings: rules + fuzzed,
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]))
}
