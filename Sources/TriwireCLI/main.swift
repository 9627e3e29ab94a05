import Glibc
import Triwire

// Whoever reads our output may go away (`triwire run | head`); what is measured is written anyway.
signal(SIGPIPE, SIG_IGN)
// Messages of a megabyte come and go by the thousand.
Process.keepFreedMemory(32 * 1024 * 1024)
exit(await Command.main(Array(CommandLine.arguments.dropFirst())).rawValue)
