import Triwire

extension InstrumentCheck {
  /// All checks, about two minutes.
  public static let all = [
    packets, framing, pollLatency, roundTrips, kernelMemory, losses, batches,
  ]

  private static let kinds = TransportKind.allCases

  /// Segments of both sides per message.
  private static let packets = InstrumentCheck(
    name: "packets",
    claim:
      "A message that is pushed alone takes 2 packets, itself and an acknowledgement; one that "
      + "is polled for takes 3: the request, what TCP acknowledges it with, and the answer.",
    likelyReason: "messages met on their way, or segments are not counted as they should be",
    trials: kinds.map { trial($0, clients: 10, feed(4, .periodic), seconds: 5) }
  ) { measured in
    zip(kinds, measured).map { kind, trial in
      let polled = kind == .longPolling
      return Expectation(
        what: "\(kind.rawValue), packets/message", low: polled ? 2.8 : 1.9,
        high: polled ? 3.2 : 2.1,
        measured: perMessage(trial) { Double($0.up.segments + $0.down.segments) }, places: 2)
    }
  }

  /// What is put around a message of 64 bytes.
  private static let framing = InstrumentCheck(
    name: "framing",
    claim: "Around a message of 64 bytes a WebSocket puts 2 bytes (RFC 6455 §5.2), an event in a "
      + "chunk of its own 14: \"data: \", two line feeds, two digits and two line ends.",
    likelyReason: "events shared a chunk, or framing is not counted where it is made",
    trials: [TransportKind.webSocket, .serverSentEvents].map {
      trial($0, clients: 10, feed(4, .periodic), seconds: 2)
    }
  ) { measured in
    zip([("websocket", 2.0), ("sse", 14.0)], measured).map { wanted, trial in
      Expectation(
        "\(wanted.0), framing bytes/message", wanted.1, within: 0,
        perMessage(trial) { Double($0.down.framing) })
    }
  }

  private static let pollDelay = (roundTrip: 0.15, rate: 4.0)

  /// What a poll adds to the way of a message.
  private static let pollLatency = InstrumentCheck(
    name: "latency of polls",
    claim: "Messages that come at random λ times a second over a round trip R find no poll waiting "
      + "with a chance of λR/(λR + e^(-λR)), and wait for half a round trip then.",
    likelyReason: "the relay is late, or latency does not count from when messages were due",
    trials: [TransportKind.longPolling, .webSocket].map {
      trial(
        $0, clients: 40, feed(pollDelay.rate, .poisson),
        network: network(roundTrip: pollDelay.roundTrip), seconds: 8)
    }
  ) { measured in
    let (delay, rate) = pollDelay
    let gap = LatencyTheory.shareThatWaits(rate: rate, roundTrip: delay)
    let milliseconds = measured.map { $0.latencyMicroseconds.histogram.mean / 1e6 }
    return [
      Expectation(
        "long-polling, mean latency in ms", (delay / 2 + gap * delay / 2) * 1000, within: 0.1,
        milliseconds.first, places: 1),
      Expectation(
        "websocket, mean latency in ms", delay / 2 * 1000, within: 0.1, milliseconds.last,
        places: 1),
    ]
  }

  private static let delays = [0.03, 0.08, 0.13]
  private static let modes: [(mode: TLSMode, trips: Double)] = [
    (.off, 2), (.v1_3, 3), (.v1_2, 4),
  ]

  /// Round trips until the first message, as a slope.
  private static let roundTrips = InstrumentCheck(
    name: "round trips",
    claim: "A first message takes 2 round trips (TCP, and the request), 3 with TLS 1.3 and 4 with "
      + "TLS 1.2, over each transport: as the slope of the least time over the round trip.",
    likelyReason: "the relay is late, or a transport waits where it need not",
    trials: kinds.flatMap { kind in
      modes.flatMap { mode in
        delays.map { delay in
          trial(
            kind, mode.mode, clients: 24, network: network(roundTrip: delay),
            idle: IdleSteps(steps: [12, 24], hold: .milliseconds(0)))
        }
      }
    }
  ) { measured in
    kinds.enumerated().flatMap { position, kind in
      modes.enumerated().map { index, mode in
        let first = (position * modes.count + index) * delays.count
        let points = delays.indices.compactMap { step -> (x: Double, y: Double)? in
          let trial = measured.indices.contains(first + step) ? measured[first + step] : nil
          let times = trial?.connection?.firstMessageMicroseconds.histogram
          guard let times, times.count > 0 else { return nil }
          // The quickest of them was held up by nobody.
          return (delays[step], Double(times.minimum) / 1e9)
        }
        return Expectation(
          "\(kind.rawValue), \(mode.mode.name), round trips", mode.trips, within: 0.05,
          points.count == delays.count ? Slope(points)?.value : nil)
      }
    }
  }

  /// What the kernel holds for a connection.
  private static let kernelMemory = InstrumentCheck(
    name: "kernel memory",
    claim: "An idle connection costs the kernel the same over each transport, both ends together, "
      + "as the slope of its slab memory over several numbers of them.",
    likelyReason: "something else on the machine opens files or connections",
    trials: kinds.map {
      trial($0, clients: 2000, idle: IdleSteps(steps: [500, 1000, 1500, 2000], hold: .seconds(1)))
    }
  ) { measured in
    let slopes = measured.map { $0.memory.kernelPerConnection?.value }
    let known = slopes.compactMap { $0 }
    let mean = known.isEmpty ? 0 : known.reduce(0, +) / Double(known.count)
    return zip(kinds, slopes).map { kind, slope in
      Expectation(
        "\(kind.rawValue), slab bytes/connection", mean, within: 0.05, slope, places: 0)
    }
  }

  /// How often a loss stands in the way of a message.
  private static let losses = InstrumentCheck(
    name: "losses",
    claim: "With 5 % of the segments lost, a message that is polled for meets twice as many losses "
      + "as one that is pushed, since its request can be lost as well.",
    likelyReason: "the relay does not lose what it should, or messages share segments",
    trials: [TransportKind.longPolling, .webSocket].map {
      trial(
        $0, clients: 500, feed(2, .poisson), network: network(roundTrip: 0.01, loss: 0.05),
        seconds: 10)
    }
  ) { measured in
    let rates = measured.map { trial -> Double in
      guard let network = trial.network, trial.delivery.delivered > 0 else { return 0 }
      return Double(network.lostSegments) / Double(trial.delivery.delivered)
    }
    return [
      Expectation(
        "long-polling, losses/message to websocket's", 2, within: 0.2,
        rates.count == 2 && rates[1] > 0 ? rates[0] / rates[1] : nil),
      Expectation("websocket, losses/message", 0.05, within: 0.2, rates.last, places: 3),
    ]
  }

  private static let ticks = (roundTrip: 0.2, rate: 20.0)

  /// How many messages an answer to a poll has.
  private static let batches = InstrumentCheck(
    name: "batches",
    claim: "At 20 messages a second, an answer to a poll has those of a round trip: 20 · R.",
    likelyReason: "the relay is late, or a poll is not answered with all that waits",
    trials: [
      trial(
        .longPolling, clients: 10, feed(ticks.rate, .periodic),
        network: network(roundTrip: ticks.roundTrip), seconds: 6)
    ]
  ) { measured in
    let answers = measured.first.flatMap { trial in
      trial.bytes.map { Double($0.down.segments - min($0.down.segments, $0.down.acknowledgements)) }
    }
    let messages = measured.first?.bytes.map { Double($0.messages) }
    return [
      Expectation(
        "long-polling, messages/answer", ticks.rate * ticks.roundTrip, within: 0.1,
        answers.flatMap { count in count > 0 ? messages.map { $0 / count } : nil })
    ]
  }

  private static func perMessage(
    _ trial: Measurement, _ sum: (ByteLedger) -> Double
  ) -> Double? {
    trial.bytes.flatMap { $0.messages > 0 ? sum($0) / Double($0.messages) : nil }
  }

  private static func network(roundTrip: Double, loss: Double? = nil) -> Network {
    .values(
      NetworkValues(
        roundTrip: TimeSpan(nanoseconds: UInt64((roundTrip * 1e9).rounded())), loss: loss))
  }
}
