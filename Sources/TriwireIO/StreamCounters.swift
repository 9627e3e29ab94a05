import CLinux

/// What a stream counted where the bytes moved.
public struct StreamCounters: Sendable, Equatable {
  /// Bytes handed to the kernel.
  public var bytesSent: UInt64 = 0
  /// Bytes taken from the kernel.
  public var bytesReceived: UInt64 = 0
  /// What TLS added to the bytes sent: handshake, records, tickets, alerts; 0 on a plain stream.
  public var tlsSent: UInt64 = 0
  /// What TLS added to the bytes received.
  ///
  /// A record that has come in part counts here until the rest of it is there.
  public var tlsReceived: UInt64 = 0
  /// `send` calls.
  public var sendCalls: UInt32 = 0
  /// `recv` calls.
  public var receiveCalls: UInt32 = 0

  /// Counts nothing yet.
  public init() {}

  /// The sum of two counts.
  public static func + (left: StreamCounters, right: StreamCounters) -> StreamCounters {
    var sum = left
    sum.bytesSent += right.bytesSent
    sum.bytesReceived += right.bytesReceived
    sum.tlsSent += right.tlsSent
    sum.tlsReceived += right.tlsReceived
    sum.sendCalls += right.sendCalls
    sum.receiveCalls += right.receiveCalls
    return sum
  }
}

/// What the kernel counted for one TCP connection (`TCP_INFO` at its full length).
public struct KernelCounters: Sendable, Equatable {
  /// Bytes sent, retransmitted ones counted again.
  public var bytesSent: UInt64
  /// Bytes sent again.
  public var bytesRetransmitted: UInt64
  /// Bytes received in order.
  public var bytesReceived: UInt64
  /// Segments sent, with pure acknowledgements.
  ///
  /// The side that accepted does not count its SYN-ACK.
  public var segmentsSent: UInt32
  /// Segments received.
  public var segmentsReceived: UInt32
  /// Segments sent that carried data.
  public var dataSegmentsSent: UInt32
  /// Segments received that carried data.
  public var dataSegmentsReceived: UInt32
  /// Bytes accepted from the program and not sent yet.
  public var notSentBytes: UInt32
  /// The largest segment the connection sends, in bytes.
  public var maximumSegment: UInt32
  /// Smoothed round-trip time, in microseconds.
  public var roundTripMicroseconds: UInt32
  /// How much of `tcp_info` the running kernel reported, in bytes.
  public var reportedBytes: UInt32

  init(_ info: tw_tcp_info) {
    bytesSent = info.bytes_sent
    bytesRetransmitted = info.bytes_retransmitted
    bytesReceived = info.bytes_received
    segmentsSent = info.segments_out
    segmentsReceived = info.segments_in
    dataSegmentsSent = info.data_segments_out
    dataSegmentsReceived = info.data_segments_in
    notSentBytes = info.not_sent_bytes
    maximumSegment = info.send_mss
    roundTripMicroseconds = info.rtt_us
    reportedBytes = info.length
  }
}
