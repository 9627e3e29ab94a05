import Triwire

let url = CommandLine.arguments.dropFirst().first ?? "http://127.0.0.1:8080/echo"
let session = try await TriwireClient(url).connect()

// The session survives its connections; only when the server has forgotten it, something is missing.
session.whenRecovered { recovery in
  if !recovery.recovered { print("read the state anew: the server has forgotten us") }
}

try await session.send("hello")
for try await message in session.messages {
  print(message.text)
  break
}
for attempt in await session.attempts() { print(attempt) }
session.close()
print(await session.ended().code)
