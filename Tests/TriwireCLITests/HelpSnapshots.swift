/// What the command prints for `--help` after some words.
struct Snapshot: Sendable {
  let words: [String]
  let text: String
}

/// All help texts.
let helpSnapshots = [
  Snapshot(
    words: [],
    text: """
      Compares WebSocket, Server-Sent Events and long polling on one HTTP server: latency, bytes on
      the wire and the cost of connections.

      Usage: triwire COMMAND …

      Commands:
        run       run scenarios over each transport and compare them
        report    make reports again from result.json, in any format
        compare   say what is better or worse than in an earlier result
        baseline  keep a result under a name, to compare others with
        explain   say what a figure of the reports is and how it is counted
        floor     measure how far each transport is from bare TCP on this machine
        check     check the instrument itself on this machine, by figures that are known
        list      list the scenarios of the shipped suite, or of other files
        validate  check scenario files without running them
        schema    print the JSON Schema of scenario files or of results
        serve     serve echo, topics and plain HTTP for any client
        relay     stand between clients and a server, and break things on demand

      Options:
        --help     show this and exit
        --version  show the version and exit

      Exit status:
        0    all went well
        1    a trial failed, or the command could not do its work
        2    something is worse than before (compare)
        3    the runs do not tell; more repetitions may
        4    something is better than before, and nothing worse (compare)
        64   the command line is wrong
        65   a scenario file is wrong
        99   a strict threshold of a scenario is broken
        130  stopped by Ctrl-C or SIGTERM; what was measured is kept

      triwire COMMAND --help says more about each.

      """),
  Snapshot(
    words: ["run"],
    text: """
      Run scenarios over each transport and compare them.

      Usage: triwire run [FILE|DIR …] [OPTION …]

      Runs scenario files, all files of a folder, or, without any, the shipped suite: those in the
      folder Scenarios of the current directory that do not say "suite": false. Each trial has a
      server process of its own. A table per scenario goes to standard output, progress to standard
      error, and the report to a folder: result.json with all figures and report.md with the
      tables, written after every trial, and at the end report.html to look at, result.csv with a
      row for each figure, and junit.xml. Ctrl-C ends the run and keeps what was measured, and
      --resume goes on with the trials that are missing. A folder that holds a result already is
      refused, so that no run replaces another.
      Strict thresholds of the files decide the exit status: 99 when one is broken, 3 when one
      cannot be told.

      Profiles: smoke measures each transport once for 3 seconds, quick 3 times for 10 seconds,
      full as often and as long as the scenario files say. A file may change that for itself.

      Options:
        --transports LIST     only these of websocket,sse,long-polling
        --tls LIST            compare these of off,1.2,1.3,1.3-resumed, whatever the files say
        --profile NAME        smoke, quick or full; smoke unless given
        --repetitions N       so many of each trial, whatever profile and file say
        --retries N           repeat a disturbed trial so often; smoke 0, quick 1, full 2
        --control             run the first transport twice, to see what chance alone does
        --control-poll TIME   a control that asks at this interval, such as "1 s"
        --output DIR          where to write the report; a new folder in Reports unless given
        --resume DIR          go on with a stopped run, as its report in this folder says
        --more-rounds N       with --resume: measure so many more repetitions
        --check-interface     compare all bytes with the interface's, in a network namespace
        --target URL          measure a triwire serve --trials that runs already, anywhere
        --foreign FILE        measure servers that others wrote, whose URLs this file names
        --target-ca FILE      trust these authorities (PEM) for https targets
        --trials-secret FILE  what the target asks for: the first line of this file
        --let-cores-idle      let cores go idle between messages; else they do not
        --seed N              where all that is random starts from; the files' own unless given
        --budget-users N      for how many users to say what they take; 50,000 unless given
        --ceiling             find out whether the clients, and not the server, were the limit
        --quiet               show only what failed
        --help                show this and exit

      """),
  Snapshot(
    words: ["report"],
    text: """
      Make reports again from result.json, in any format.

      Usage: triwire report DIR|FILE … [OPTION …]

      Reads what triwire run wrote and makes the reports again, byte for byte the same. Results of
      several machines go into one report that keeps them apart; that needs --output.

        html                     report.html, a page to look at
        markdown                 report.md, tables for a pull request
        csv                      result.csv, a row for each figure of each trial
        junit                    junit.xml, test cases; what cannot be told is skipped
        hdr                      latency-….hgrm, percentiles in ms as HdrHistogram prints them
        github-action-benchmark  github-action-benchmark.json, its customSmallerIsBetter
        bencher                  bencher.json, Bencher Metric Format

      Options:
        --format LIST     which of them; html,markdown,csv,junit unless given
        --budget-users N  for how many users to say what they take
        --output DIR      where to write; beside the result unless given
        --help            show this and exit

      """),
  Snapshot(
    words: ["compare"],
    text: """
      Say what is better or worse than in an earlier result.

      Usage: triwire compare BASE NEW [OPTION …]

      BASE and NEW are folders that triwire run wrote, their result.json, or names of baselines
      (triwire baseline). Each figure of each transport is compared run by run, with the interval
      that holds the true ratio with 95 % confidence. Worse is what exceeds the tolerance (1 % of
      bytes, 5 % of other figures and 50 us of latency, unless --tolerance says otherwise) and is no
      chance: however much is compared, two results of the same build differ in less than 5 of 100
      cases. It takes three repetitions, and six are better. Results of unlike settings are refused.

      With --more-rounds, where the runs do not tell, as many repetitions as may be enough are
      measured of each, N at most, taking turns, added to the results, and judged once more. BASE
      is measured by the triwire that measured it: name it with --base-program if it is another.

      Exits with 0 when all is equal, 2 when something is worse, 3 when the runs do not tell, and 4
      when something is better and nothing worse.

      Options:
        --metric KEY         compare this figure (triwire explain lists them)
        --tolerance PERCENT  no difference up to this counts, such as 5%
        --paired             the runs of a repetition were made in turns, compare them in pairs
        --more-rounds N      where the runs do not tell, measure up to N repetitions more
        --base-program FILE  the triwire to measure BASE with; this one unless given
        --help               show this and exit

      """),
  Snapshot(
    words: ["baseline"],
    text: """
      Keep a result under a name, to compare others with.

      Usage: triwire baseline [NAME DIR|FILE] [OPTION …]

      Keeps the result that triwire run wrote to DIR as the baseline NAME, in place of an earlier
      one, in the folder Reports/baselines of the current directory. triwire compare NAME NEW
      compares with it. Without a NAME it lists the baselines.

      Options:
        --remove NAME  forget this baseline
        --help         show this and exit

      """),
  Snapshot(
    words: ["explain"],
    text: """
      Say what a figure of the reports is and how it is counted.

      Usage: triwire explain [METRIC …]

      Shows each figure by its key, as thresholds and data have it, and by its name in tables, and
      says how it is counted. Without a METRIC it lists the keys of all.

      Options:
        --help  show this and exit

      """),
  Snapshot(
    words: ["floor"],
    text: """
      Measure how far each transport is from bare TCP on this machine.

      Usage: triwire floor [OPTION …]

      Compares what a message costs the server over each transport, with synchronous and with
      async handlers, with the same bytes over bare TCP on the same event loop. The server is a
      process on a core of its own; the clients run a closed loop, which shows cost and not latency.
      Rounds are interleaved, each with a fresh server; the least and the median are shown. It takes
      about a minute. Tables go to standard output, progress to standard error.

      Options:
        --rounds N       how often each figure is measured; 3 unless given
        --connections N  connections that echo; 50 unless given
        --subscribers N  connections that a broadcast goes to; 1000 unless given
        --payload SIZE   the size of each message; "125 B" unless given
        --window TIME    how long each figure is measured; "600 ms" unless given
        --help           show this and exit

      """),
  Snapshot(
    words: ["check"],
    text: """
      Check the instrument itself on this machine, by figures that are known.

      Usage: triwire check [CHECK …] [OPTION …]

      Runs real trials, some over an imitated network, whose figures are known beforehand: packets
      per message, framing bytes, the latency that polls add, round trips until a first message
      (which takes most of the time), the kernel's memory per connection, losses, and how many
      messages an answer to a poll has. They say nothing about which transport is better: where one
      is wrong, the figures of other runs on this machine are to be doubted. All take about three
      minutes; names, such as packets, choose some.

      Exits with 0 when all are right, 1 when one is wrong, and 3 when one is not right and the
      machine was busy otherwise meanwhile, which is repeated once unless --retries says otherwise.

      Options:
        --retries N  repeat a disturbed check that is not right so often; 1 unless given
        --help       show this and exit

      """),
  Snapshot(
    words: ["list"],
    text: """
      List the scenarios of the shipped suite, or of other files.

      Usage: triwire list [FILE|DIR …]

      Shows the name and the description of each scenario. Without a file, these are the
      scenarios in the folder Scenarios of the current directory.

      Options:
        --help  show this and exit

      """),
  Snapshot(
    words: ["validate"],
    text: """
      Check scenario files without running them.

      Usage: triwire validate FILE|DIR …

      Says of each file that it is correct, or all that is wrong in it: file, line, key, and what
      to write instead. Exits with 65 when one is wrong.

      Options:
        --help  show this and exit

      """),
  Snapshot(
    words: ["schema"],
    text: """
      Print the JSON Schema of scenario files or of results.

      Usage: triwire schema [scenario|result]

      Prints the JSON Schema (draft 2020-12) of scenario files, by which editors complete and check
      them. A file names it with "$schema"; the shipped files name Scenarios/schema/scenario.json,
      which is what this prints. Comments are allowed in scenario files: tell the editor that they
      are JSON with comments. What a schema cannot say, triwire validate does.

      With the word result it prints that of result.json, which is Scenarios/schema/result.json.

      Options:
        --help  show this and exit

      """),
  Snapshot(
    words: ["serve"],
    text: """
      Serve echo, topics and plain HTTP for any client.

      Usage: triwire serve --listen HOST:PORT [OPTION …]

      Serves until it is told to stop (Ctrl-C or SIGTERM), then lets requests finish and exits
      with 0. Every session path takes WebSocket, Server-Sent Events and long polling.

        /echo         each message goes back to its sender
        /topics/NAME  messages published to NAME; POST publishes its body as one message
        /reflect      plain HTTP, any method: the body of the request is the body of the answer
        /healthz      plain HTTP: 200 as long as the server is well

      With --trials, triwire run --target measures this server from elsewhere, one trial at a time.
      Whoever can open a session at /trials/control may then put load on it, so that it is off unless
      asked for; --trials-secret asks them for a secret. All paths of trials are below /trials/. It
      serves with one thread then, keeps idle connections for two hours, and limits TCP segments to
      those of an Ethernet.

      Options:
        --listen HOST:PORT     where to listen; port 0 picks a free one and prints it
        --loops N              threads to serve with; one per core unless given
        --trials               let triwire run --target put load on this server and measure it
        --trials-secret FILE   only those who know the first line of this file
        --message-limit BYTES  the longest message; 1048576 unless given
        --deflate              compress WebSocket messages for clients that can
        --gzip                 compress event streams and polls' answers for clients that ask
        --tls-cert FILE        serve https and wss with this PEM certificate chain
        --tls-key FILE         the PEM key of the certificate
        --tls-self-signed      the same with a certificate made for this host on the spot
        --tls-write FILE       write the certificate made there, for clients to trust
        --tls-client-ca FILE   serve only clients with a certificate of these authorities
        --help                 show this and exit

      """),
  Snapshot(
    words: ["relay"],
    text: """
      Stand between clients and a server, and break things on demand.

      Usage: triwire relay --listen HOST:PORT --to HOST:PORT [--network NAME] [--fault SPEC …]

      Passes connections on until it is told to stop (Ctrl-C or SIGTERM), then exits with 0. It
      reads HTTP/1.1 along, so that a fault can concern event streams, say, and nothing else; TLS
      passes unread. Each fault that strikes is a line on standard error, and what passed in all a
      line on standard output at the end.

      With a network, bytes take as long as they would there: half a round trip each way, at the
      rate of the line, in segments of 1,448 bytes of which each takes 52 bytes more; the first
      byte waits for the round trip that connecting takes. A lost segment holds what is behind it
      until TCP would have sent it again: 200 ms and a round trip, doubled each time it is lost
      again, or as soon as one that arrived behind it tells. Losses are independent, or come in
      bursts (--loss-burst) of so many segments on average. Each connection has a line of its own.
      NAME:

        loopback          nothing added
        lan               1 ms, 1 Gbit/s
        wan               40 ms, 100 Mbit/s down, 20 up
        intercontinental  150 ± 5 ms, 50 Mbit/s down, 10 up
        fast-4g           60 ms, 9 Mbit/s down, 1.5 up
        slow-4g           150 ms, 1.6 Mbit/s down, 0.75 up
        3g                300 ms, 1.6 Mbit/s down, 0.768 up
        slow-3g           400 ms, 0.5 Mbit/s
        satellite         600 ms, 20 Mbit/s down, 3 up
        lossy-4g          slow-4g with a loss of 2 %

      SPEC is a fault, and what it is restricted to:

        FAULT [on KIND,…] [after MOMENT] [nth N | first N | every N] [chance P]

        refuse                reset a connection as soon as it is accepted
        close-port            do not listen at all
        delay-accept TIME     leave a connection alone for a while
        refuse-upgrade [403]  answer a WebSocket handshake with this status
        strip-upgrade         pass a WebSocket handshake on as a plain GET
        fake-upgrade          answer it with 101, and never say a word
        black-hole            take a request and never answer
        http10                pass a request on as HTTP/1.0
        buffer [SIZE] [with-head]    hold an answer's body until so much is there, or it ends
        cut, reset            end a connection with FIN or with RST
        mute [up|down]        take bytes and throw them away
        stall [up|down] [TIME]       pass nothing on for a while, then all
        trickle [up|down]     pass bytes on one by one
        half-close up|down    end one direction

      KIND is websocket, sse, poll (any other GET), post, delete or other. A fault strikes at once,
      or after a MOMENT: TIME, idle TIME, SIZE [up|down] passed on, or answer [SIZE]: the head of
      the answer and so much of its body. Up is from the client to the server. The matches are
      counted for nth, first, every and chance; a chance is above 0 and at most 1.

        triwire relay --listen 127.0.0.1:9000 --to 127.0.0.1:8080 \\
          --fault "refuse-upgrade chance 0.5" --fault "cut on sse after 64 KiB down"

      Options:
        --listen HOST:PORT  where to listen; port 0 picks a free one and prints it
        --to HOST:PORT      where the server is
        --network NAME      imitate this network; the next seven options change it
        --round-trip TIME   the time of a round trip, such as 40ms
        --jitter TIME       how much shorter or longer each way may take
        --down RATE         the rate from the server to the client, such as 1.6Mbit/s
        --up RATE           the rate from the client to the server
        --loss PART         how likely a segment is lost, such as 0.02
        --loss-burst N      how many losses come in a row on average, such as 3
        --queue SIZE        how much may wait for the line; 64KiB unless given
        --fault SPEC        a fault, as above; may stand there several times
        --seed N            where chances come from; 1 unless given
        --help              show this and exit

      """),
]
