/// The terminal's text of the sample report.
let goldenTerminal = """
  x  a small sample
    long-polling, repetition 1: lost 1 of 1,000 messages
    (×: times the best)          websocket     long-polling
    delivered               1,000 of 1,000     999 of 1,000
    latency p50                    1.00 ms  3.00 ms (3.00×)
    latency p90                    1.80 ms  5.40 ms (3.00×)
    latency p99                    1.98 ms  5.94 ms (3.00×)
    latency max                    2.00 ms  6.00 ms (3.00×)
    payload/message                 64.0 B           64.0 B
    framing/message                  2.0 B    6.0 B (3.00×)
    HTTP/message                     0.0 B           90.0 B
    TCP/IP/message                   104 B            104 B
    wire/message                     170 B    302 B (1.78×)
    of it up                        52.0 B           52.0 B
    of it down                       118 B    250 B (2.12×)
    overhead                       165.6 %  371.9 % (2.25×)
    packets/message                   2.00     4.00 (2.00×)
    server CPU/message             12.3 µs  37.0 µs (3.00×)
    client CPU/message             0.00 µs          0.00 µs
    round trips to open                2.0              2.0
    wire bytes/open                  0.0 B            0.0 B
    server CPU/open                0.00 µs          0.00 µs
    system calls/open                  0.0              0.0
    memory/connection              2,345 B          2,345 B
    descriptors/connection            1.00             1.00
    50,000 users would take: websocket 117 MB, 5.67 Gbit/s; long-polling 117 MB.
    Latency is from the moment a message was due, sent late or not, to its arrival.

  Which transport to take
    x: websocket: server CPU/message 12.3 µs; latency p99 1.98 ms. Confidence: the only one that came through.

  """

/// The Markdown of the sample report.
let goldenMarkdown = """
  # WebSocket, Server-Sent Events and long polling compared

  Profile `smoke`, started 2026-01-02T03:04:05Z. All 2 trials ran.

  ## Failed trials

  - **x**, long-polling, repetition 1: lost 1 of 1,000 messages

  ## Answer

  | scenario | recommended | runner-up | why | confidence |
  |---|---|---|---|---|
  | x | **websocket** | – | server CPU/message 12.3 µs; latency p99 1.98 ms | the only one that came through |

  <details><summary>The rule that chose</summary>

  1. A transport that failed a trial is out: every message has to arrive once, in order. So is one that breaks a strict threshold of the scenario.
  2. Where no threshold speaks of latency, so is one whose latency (p99, or p50 where p99 is not known) is more than twice the lowest and more than 10 ms above it.
  3. Of the others the one with the least cost is taken: the server's CPU time per message; memory per connection where clients only idle; latency where faults strike.
  4. Where costs are equal (a verdict of the runs, see the method), the one that is simpler to operate: sse, then long-polling, then websocket where messages only go down; websocket, then sse, then long-polling where they go both ways.
  5. Where a scenario searches for a capacity, the one that holds the most is taken.

  </details>

  ## x

  a small sample.

  **long-polling, repetition 1: lost 1 of 1,000 messages**

  | | websocket | long-polling |
  |---|---:|---:|
  | delivered | 1,000 of 1,000 | 999 of 1,000 |
  | latency p50 | 1.00 ms | 3.00 ms (3.00×) |
  | latency p90 | 1.80 ms | 5.40 ms (3.00×) |
  | latency p99 | 1.98 ms | 5.94 ms (3.00×) |
  | latency max | 2.00 ms | 6.00 ms (3.00×) |
  | payload/message | 64.0 B | 64.0 B |
  | framing/message | 2.0 B | 6.0 B (3.00×) |
  | HTTP/message | 0.0 B | 90.0 B |
  | TCP/IP/message | 104 B | 104 B |
  | wire/message | 170 B | 302 B (1.78×) |
  | of it up | 52.0 B | 52.0 B |
  | of it down | 118 B | 250 B (2.12×) |
  | overhead | 165.6 % | 371.9 % (2.25×) |
  | packets/message | 2.00 | 4.00 (2.00×) |
  | server CPU/message | 12.3 µs | 37.0 µs (3.00×) |
  | client CPU/message | 0.00 µs | 0.00 µs |
  | round trips to open | 2.0 | 2.0 |
  | wire bytes/open | 0.0 B | 0.0 B |
  | server CPU/open | 0.00 µs | 0.00 µs |
  | system calls/open | 0.0 | 0.0 |
  | memory/connection | 2,345 B | 2,345 B |
  | descriptors/connection | 1.00 | 1.00 |

  One repetition is too few to compare: differences may be chance. `--repetitions 4` gives verdicts.

  ## Budget: what 50,000 users would take

  | scenario | transport | memory | up | down | cores |
  |---|---|---:|---:|---:|---:|
  | x | websocket | 117 MB (117 MB to 117 MB) | 1.73 Gbit/s | 3.93 Gbit/s | – |
  | x | long-polling | 117 MB (117 MB to 117 MB) | – | – | – |

  Computed from what was measured, times the number of users: all grows in proportion, on machines like this one, with cores as fast; further users come in further groups of the same size, and each does what a client did here. Memory is the server's private memory, without the kernel's; up and down are IP packets, of messages, or of heartbeats where clients idle; cores are those of the server's process. In brackets is the interval that holds the true figure with 95 % confidence: memory's from how far readings lie off their line, or from three runs on, as all others, from how runs scatter. What was not measured is left out.

  ## How to read this

  - Latency is from the moment a message should have been sent to the moment it arrived, and a round trip where it is echoed. `(1.19×)` is relative to the best of the line. Percentiles with fewer than ten messages above them are left out.
  - Bytes, packets and CPU time are per delivered message, both directions together. `wire` is everything in IP packets; `overhead` is what travels beyond the payload.
  - `sent late` is how much later than planned the load generator sent: what it adds by itself.
  - Memory is what the server's private memory grows by with each idle connection, left out where it does not stand clearly above chance.
  - A trial is `disturbed` when messages left late, when threads had to wait for a core, or when the clock was adjusted: it says more about the machine than about the transport. It is repeated as often as the profile says.

  ## Machine

  | | |
  |---|---|
  | Triwire | 1.2.3, Swift 6.3, optimised |
  | command | `triwire run x.json` |
  | seeds | x 1 |
  | kernel | Linux 6.1 x86_64 |
  | processor | Some Processor, 2 cores |
  | pinning | server on core 0, clients on core 1 |
  | kept from going idle | none |
  | clock source | tsc |
  | measured connections | reno, segments up to 1,460 B |
  | settings of TCP | tcp_autocorking 1 |
  | descriptors | 20,000 of 20,000 |
  | load before and after | 0.10 0.20 0.30, pressure 0.50 % |

  """
