// The types of the lower modules that stand in this module's public API.
@_exported public import struct TriwireIO.IOError
@_exported public import struct TriwireIO.SocketAddress
