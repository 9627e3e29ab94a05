import Triwire

let server = TriwireServer()

// Each message goes back to its sender.
server.session(at: "/echo") { session in
  for try await message in session.messages { try await session.send(message) }
}

// A chat: what one says, all hear.
let room = server.topic("room")
server.session(at: "/chat") { session in
  session.subscribe(to: room)
  for try await message in session.messages { room.publish(message) }
}

// Prices: a slow reader gets the newest of each symbol, and holds nobody up.
let prices = server.topic("prices")
var newestOnly = RouteOptions()
newestOnly.limits = SessionLimits()
newestOnly.limits?.slowConsumer = .latestPerKey
server.session(at: "/prices", options: newestOnly) { session in
  session.subscribe(to: prices)
  _ = await session.ended()
}
server.session(at: "/quotes/{symbol}") { session in
  for try await message in session.messages { prices.publish(message, key: session.parameter) }
}

try await server.run(on: CommandLine.arguments.dropFirst().first ?? "127.0.0.1:8080")
