import Testing
import Triwire

@testable import TriwireBench

/// A text that is refused, and how.
struct Refusal: CustomTestStringConvertible {
  let text: String
  let message: String

  var testDescription: String { message }

  /// A refusal of the smallest correct scenario after some replacement.
  static func replacing(_ old: String, _ new: String, _ message: String) -> Refusal {
    let base =
      #"{"name": "x", "clients": 4, "traffic": [{"direction": "echo", "rate": "10/s per client", "payload": "64 B"}]}"#
    precondition(base.contains(old))
    return Refusal(text: base.replacing(old, with: new), message: "x.json:1: \(message)")
  }
}

/// Every way a scenario file can be wrong, and what its author is told.
let refusals: [Refusal] = [
  // Not JSON.
  Refusal(text: "", message: "x.json:1: the text ends where a value should stand"),
  Refusal(text: "{", message: "x.json:1: the text ends before a closing }"),
  Refusal(text: "{}\n{}", message: "x.json:2: text after the end of the value"),
  Refusal(text: "{\n\"a\" 1}", message: "x.json:2: a colon must follow the key \"a\""),
  Refusal(text: "{a: 1}", message: "x.json:1: a key must stand in double quotes"),
  Refusal(
    text: "{\"a\": 1\n\"b\": 2}",
    message: "x.json:1: a comma or } is missing after the value that ends on this line"),
  Refusal(
    text: "{\"a\": [\n1\n] // b\n\n\"b\": 2}",
    message: "x.json:3: a comma or } is missing after the value that ends on this line"),
  Refusal(text: "{\"a\": 1 \"b\": 2}", message: "x.json:1: a comma or } is missing here"),
  Refusal(text: "{\n\"a\": 1\n\n", message: "x.json:2: the text ends before a closing }"),
  Refusal(text: "{\n\"a\": 1,\n\n", message: "x.json:2: the text ends before a closing }"),
  Refusal(text: "{\"a\":\n", message: "x.json:1: the text ends where a value should stand"),
  Refusal(text: "{\n\"a\"\n", message: "x.json:2: a colon must follow the key \"a\""),
  Refusal(text: "{\"a\": 1,}", message: "x.json:1: remove the comma before }"),
  Refusal(
    text: "{\"a\": 10s}",
    message: "x.json:1: 10s is no number; a number with a unit must stand in double quotes"),
  Refusal(
    text: "{\"a\": echo}", message: "x.json:1: echo is no value; a text must stand in double quotes"
  ),
  Refusal(text: "\n/* a\n", message: "x.json:2: this comment has no closing */"),
  Refusal(text: "{\"a\": \"b\n\"}", message: "x.json:1: a text must end on the line it starts on"),
  Refusal(text: "[1", message: "x.json:1: the text ends before a closing ]"),
  Refusal(
    text: "{\"a\": 'b'}", message: "x.json:1: \"'\" starts no value; strings take double quotes"),
  Refusal(
    text: "{\"a\": “b”}", message: "x.json:1: \"“\" starts no value; strings take double quotes"),
  Refusal(text: "{\"a\": #}", message: "x.json:1: \"#\" starts no value"),
  // Not a scenario.
  Refusal(text: "[1]", message: "x.json:1: this is a list, write an object { … }"),
  .replacing("\"x\"", "5", "name: this is a number, write a text like \"echo\""),
  .replacing(
    "\"x\"", "\"My Test\"",
    "name: \"My Test\" is no name, write lower-case letters, digits and dashes"),
  .replacing(
    "\"clients\": 4", "\"clients\": \"4\"",
    "clients: this is a text, write a whole number from 1 to 100,000"),
  .replacing("\"clients\": 4", "\"clients\": 0", "clients: 0 is out of range, write 1 to 100,000"),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"clients\": 4",
    "clients: this key stands here twice, remove one"),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"groups\": 2",
    "groups: groups are for broadcasts, and no flow is one: remove it"),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"warmup\": \"1 s\"",
    "warmup: this key is not known, did you mean \"warmUp\"?"),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"colour\": 1",
    "colour: this key is not known, known are $schema, name, description, clients, groups, idle, "
      + "slow, visitors, snapshot, traffic, warmUp, duration, drain, repetitions, seed, transports, tls, sessions, network, "
      + "headers, compression, faults, reconnect, published, sweep, suite, profiles, thresholds, controlPoll, "
      + "search"
  ),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"duration\": \"10 sec\"",
    "duration: \"10 sec\" has no known unit; for a time, write a number and a unit of ms, s or min: \"10 s\""
  ),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"duration\": \"2 h\"",
    "duration: \"2 h\" has no known unit; for a time, write a number and a unit of ms, s or min: \"10 s\""
  ),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"duration\": \"45 min\"",
    "duration: 45 min is out of range, write \"10 ms\" to \"30 min\""),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"duration\": 10",
    "duration: this is a number, write a text with a unit like \"10 s\""),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"transports\": []",
    "transports: the list is empty, write at least one of transports"),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"transports\": [\"websockets\"]",
    "transports[0]: \"websockets\" is not one of \"websocket\", \"sse\", \"long-polling\", did you mean \"websocket\"?"
  ),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"tls\": \"1.3 resumed\"",
    "tls: \"1.3 resumed\" is not one of \"off\", \"1.2\", \"1.3\", \"1.3-resumed\", did you mean \"1.3-resumed\"?"
  ),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"tls\": [\"off\", \"1.1\"]",
    "tls[1]: \"1.1\" is not one of \"off\", \"1.2\", \"1.3\", \"1.3-resumed\", did you mean \"1.2\"?"
  ),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"tls\": []",
    "tls: the list is empty, write at least one of modes"),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"tls\": [\"off\", \"off\"]",
    "tls: a mode stands here twice, remove one"),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"tls\": true",
    "tls: this is true, write \"1.3\""),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"tls\": [false]", "tls[0]: this is false, write \"off\""),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"compression\": true",
    "compression: this is true, write \"on\""),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"transports\": [\"ws\"]",
    "transports[0]: \"ws\" is not one of \"websocket\", \"sse\", \"long-polling\", did you mean \"websocket\"?"
  ),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"transports\": [\"eventsource\"]",
    "transports[0]: \"eventsource\" is not one of \"websocket\", \"sse\", \"long-polling\", did you mean \"sse\"?"
  ),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"transports\": [\"Polling\"]",
    "transports[0]: \"Polling\" is not one of \"websocket\", \"sse\", \"long-polling\", did you mean \"long-polling\"?"
  ),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"transports\": [\"sse\", \"sse\"]",
    "transports: a transport stands here twice, remove one"),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"idle\": {\"steps\": [1, 2]}",
    "clients: remove this, the last of idle.steps says how many clients"),
  .replacing(
    "\"clients\": 4", "\"idle\": {\"steps\": [2, 1]}",
    "idle.steps: write at least two numbers of clients, each more than the one before"),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"profiles\": {\"quick\": {\"rate\": 1}}",
    "profiles.quick.rate: this key is not known, known are clients, idle, warmUp, duration, drain, repetitions"
  ),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"profiles\": {\"quick\": {\"idle\": {\"steps\": [1, 2]}}}",
    "profiles.quick: a profile can change \"idle\" only when the scenario has it"),
  .replacing(
    "\"echo\"", "\"Echo\"",
    "traffic[0].direction: \"Echo\" is not one of \"up\", \"down\", \"echo\", \"broadcast\", did you mean \"echo\"?"
  ),
  .replacing(
    "\"64 B\"", "\"64 bytes\"",
    "traffic[0].payload: \"64 bytes\" has no known unit; for a size, write a number and a unit of B, KB, KiB, MB or MiB: \"64 B\""
  ),
  .replacing(
    "\"64 B\"", "\"19 B\"", "traffic[0].payload: 19 B is out of range, write \"20 B\" to \"1 MiB\""),
  .replacing(
    "\"64 B\"", "\"1.5 B\"",
    "traffic[0].payload: \"1.5 B\" is not a whole number of bytes up to 1024 MiB"),
  .replacing(
    "\"64 B\"", "{\"uniform\": [\"200 B\", \"80 B\"]}",
    "traffic[0].payload.uniform: write two sizes, the smaller first: [\"80 B\", \"200 B\"]"),
  .replacing(
    "\"64 B\"", "{}",
    "traffic[0].payload: write a size \"64 B\", or one of uniform and lognormal with two sizes, "
      + "or record with a format"),
  .replacing(
    "10/s per client", "10/s",
    "traffic[0].rate: \"10/s\" does not say whose rate it is: write \"10/s per client\", \"10/s per group\" or \"10/s in all\""
  ),
  .replacing(
    "10/s per client", "1/5s each",
    "traffic[0].rate: \"1/5s each\" does not say whose rate it is: write \"1/5 s per client\", \"1/5 s per group\" or \"1/5 s in all\""
  ),
  .replacing(
    "10/s per client", "every 5 s",
    "traffic[0].rate: \"every 5 s\" is not a rate, write \"12/min per client\""),
  .replacing(
    "10/s per client", "every 250 ms in all",
    "traffic[0].rate: \"every 250 ms in all\" is not a rate, write \"4/s in all\""),
  .replacing(
    "10/s per client", "1/0 s per client",
    "traffic[0].rate: \"1/0 s per client\" is not a rate, write it like \"50/s per client\", \"1/5 s per client\" or \"100/s in all\""
  ),
  .replacing(
    "10/s per client", "10 per second",
    "traffic[0].rate: \"10 per second\" is not a rate, write it like \"50/s per client\", \"1/5 s per client\" or \"100/s in all\""
  ),
  .replacing(
    "10/s per client", "0/s per client",
    "traffic[0].rate: 0/s per client is out of range, write more than 0 and up to 1000000/s"),
  .replacing(
    "10/s per client", "10/s per group",
    "traffic[0].rate: only a broadcast from the server has a rate per group, write \"per client\" or \"in all\""
  ),
  .replacing(
    "10/s per client", "500000/s per client",
    "traffic[0]: a sender would send more than 16,777,216 messages: lower the rate or the duration\nx.json:1: traffic: about 70,000,000 messages to send are too many, the limit is 20,000,000: lower a rate or the duration"
  ),
  .replacing(
    "\"echo\"", "\"broadcast\"",
    "traffic[0].rate: the server broadcasts to groups, write the rate \"per group\" or \"in all\""),
  .replacing(
    "\"echo\"", "\"up\", \"from\": \"server\"",
    "traffic[0].from: remove this, \"up\" comes from clients; only a broadcast has a choice"),
  .replacing(
    "\"payload\"",
    "\"burst\": {\"factor\": 1, \"length\": \"1 s\", \"every\": \"5 s\"}, \"payload\"",
    "traffic[0].burst.factor: 1 is out of range, write a number above 1, up to 1000"),
  .replacing(
    "\"payload\"",
    "\"burst\": {\"factor\": 2, \"length\": \"3 s\", \"every\": \"5 s\"}, \"payload\"",
    "traffic[0].burst.length: 3 s is too long, write up to half of every (5 s)"),
  .replacing(
    "\"clients\": 4, \"traffic\": [{\"direction\": \"echo\"",
    "\"clients\": 50000, \"traffic\": [{\"direction\": \"broadcast\", \"from\": \"clients\"",
    "traffic: about 874,982,500,000 deliveries are too many, the limit is 200,000,000: lower a rate, the duration, or clients"
  ),
  .replacing(
    "\"clients\": 4, \"traffic\": [{\"direction\": \"echo\"",
    "\"clients\": 5, \"groups\": 3, \"traffic\": [{\"direction\": \"broadcast\", \"from\": \"clients\"",
    "traffic[0]: a client speaks to the others of its group and some group has none: write at least twice as many clients as groups"
  ),
  .replacing(
    "\"clients\": 4", "\"clients\": 4, \"groups\": 5",
    "groups: 5 groups are more than the 4 clients\nx.json:1: groups: groups are for broadcasts, and no flow is one: remove it"
  ),
]
