import Triwire
import TriwireBench
let server = TriwireServer(configuration: {
  var c = TriwireServer.Configuration()
  c.loops = CommandLine.arguments.count > 2 ? Int(CommandLine.arguments[2]) : 1
  c.session.messageBytes = 16 << 20
  return c }())
server.addServeRoutes()
print(try await server.start(on: CommandLine.arguments[1]))
try await Task.sleep(nanoseconds: 3_000_000_000_000)
