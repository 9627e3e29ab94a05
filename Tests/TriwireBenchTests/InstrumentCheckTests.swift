import Testing
import Triwire
import TriwireFaults

@testable import TriwireBench

@Suite("Checks of the instrument")
struct InstrumentCheckTests {
  private func check(_ key: String) throws -> InstrumentCheck {
    try #require(InstrumentCheck.all.first { $0.key == key })
  }

  /// A measurement for each trial of a check.
  private func measurements(
    of check: InstrumentCheck, _ fill: (Trial, inout Measurement) -> Void
  ) -> [Measurement] {
    check.trials.map { trial in
      var measurement = Measurement(trial, startedAt: "")
      measurement.delivery = Delivery(expected: 1000, delivered: 1000)
      fill(trial, &measurement)
      return measurement
    }
  }

  /// A ledger of 1,000 messages, all of it downwards.
  private func ledger(segments: UInt64, framing: UInt64, pure: UInt64 = 0) -> ByteLedger {
    var bytes = ByteLedger()
    bytes.messages = 1000
    bytes.down = ByteLayers(framing: framing, segments: segments, acknowledgements: pure)
    return bytes
  }

  @Test("There are seven, and each has trials that a scenario file could ask for")
  func all() {
    #expect(
      InstrumentCheck.all.map(\.key) == [
        "packets", "framing", "latency-of-polls", "round-trips", "kernel-memory", "losses",
        "batches",
      ])
    for check in InstrumentCheck.all {
      #expect(!check.trials.isEmpty && check.claim.hasSuffix("."))
      for trial in check.trials {
        #expect(!trial.scenario.traffic.isEmpty || trial.scenario.idle != nil)
      }
    }
  }

  @Test("Packets and framing are right within their bounds, and wrong beyond them")
  func counts() throws {
    let packets = try check("packets")
    for (pushed, polled, isRight) in [
      (2000, 3000, true), (2100, 3190, true), (2110, 3000, false),
      (2000, 3210, false),
    ] as [(UInt64, UInt64, Bool)] {
      let findings = packets.findings(
        measurements(of: packets) { trial, measurement in
          let count = trial.transport == .longPolling ? polled : pushed
          measurement.bytes = ledger(segments: count, framing: 0)
        })
      #expect(findings.count == 3)
      #expect(findings.allSatisfy(\.isMet) == isRight, "\(findings)")
    }
    let framing = try check("framing")
    let wrong = framing.findings(
      measurements(of: framing) { trial, measurement in
        measurement.bytes = ledger(
          segments: 1000, framing: trial.transport == .webSocket ? 2000 : 14_001)
      })
    #expect(wrong.map(\.isMet) == [true, false])
    #expect(wrong.map(\.expected) == ["2.00", "14.00"])
    #expect(wrong[0].reason == "" && wrong[1].reason.contains("shared a chunk"))
  }

  @Test("The slope over round trips is what counts, whatever each opening takes besides")
  func slopes() throws {
    let check = try check("round-trips")
    let measured = measurements(of: check) { trial, measurement in
      let trips: Double =
        switch trial.contender.tls {
        case .off: 2
        case .v1_3: 3
        default: 4
        }
      let delay = trial.scenario.network?.conditions.roundTrip ?? .zero
      var connection = ConnectionCost()
      connection.firstMessageMicroseconds.histogram.record(
        UInt64(trips * (delay / .nanoseconds(1))) + 900_000)
      measurement.connection = connection
    }
    let findings = check.findings(measured)
    #expect(findings.count == 9)
    #expect(findings.allSatisfy { $0.isMet }, "\(findings)")
    var broken = measured
    broken[0].connection = nil
    #expect(check.findings(broken).map(\.isMet).first == false)
    #expect(check.findings(broken)[0].measured == "–")
  }

  @Test("What fails or is disturbed is not met, and says which of the two it is")
  func reasons() throws {
    let check = try check("batches")
    let measured = { (change: (inout Measurement) -> Void) in
      self.measurements(of: check) { _, measurement in
        measurement.bytes = self.ledger(segments: 300, framing: 0, pure: 50)
        change(&measurement)
      }
    }
    let right = check.findings(measured { _ in })
    #expect(right.map(\.isMet) == [true] && right[0].measured == "4.00")
    let failed = check.findings(measured { $0.failures = ["lost 1"] })
    #expect(!failed[0].isMet && failed[0].reason == "lost 1" && !failed[0].isDisturbed)
    // A disturbance is no excuse needed by what is right all the same.
    #expect(check.findings(measured { $0.validity.doubts = ["it was busy"] })[0].isMet)
    let disturbed = check.findings(
      measured {
        $0.validity.doubts = ["it was busy"]
        $0.bytes?.down.segments = 600
      })
    #expect(disturbed[0].isDisturbed && disturbed[0].reason == "disturbed: it was busy")
    let wrong = measured { $0.bytes?.down.segments = 600 }
    #expect(!check.findings(wrong, pressure: 0.2)[0].isDisturbed)
    #expect(check.findings(wrong, pressure: 0.3)[0].isDisturbed)
    let outcome = CheckRun.Outcome(check: check, findings: disturbed)
    #expect(outcome.isOpen && !outcome.isMet)
    #expect(outcome.text(on: Page()).contains("likely reason: disturbed"))
  }

  @Test("Kernel memory is compared among the transports, losses by what the relay counted")
  func rest() throws {
    let memory = try check("kernel-memory")
    let slabs: [TransportKind: Double] = [
      .webSocket: 8000, .serverSentEvents: 8100, .longPolling: 9000,
    ]
    let findings = memory.findings(
      measurements(of: memory) { trial, measurement in
        measurement.memory = MemoryCost(
          steps: [500, 1000, 1500].map { count in
            var step = MemoryCost.Step(
              clients: count, proportional: 0, privateDirty: 0, anonymous: 0, descriptors: 0,
              cpuShare: 0)
            step.kernel = UInt64(Double(count) * (slabs[trial.transport] ?? 0))
            return step
          })
      })
    #expect(findings.map(\.isMet) == [true, true, false])
    let losses = try check("losses")
    let counted = losses.findings(
      measurements(of: losses) { trial, measurement in
        measurement.network = NetworkMeasurement(
          segments: 2000, lostSegments: trial.transport == .longPolling ? 97 : 50,
          lateMicroseconds: Durations())
      })
    #expect(counted.map(\.isMet) == [true, true], "\(counted)")
  }
}
