/// What the server's memory and descriptors grew by with each idle connection.
///
/// The cost of one is the slope of a straight line through several numbers of connections, so
/// that what the server takes for itself does not count.
public struct MemoryCost: Sendable, Equatable, Codable {
  /// What the server held at one number of connections.
  public struct Step: Sendable, Equatable, Codable {
    /// Sessions open at that moment.
    public var clients: Int
    /// The server's share of its pages (`Pss`), in bytes.
    public var proportional: UInt64
    /// Pages only the server has, and has written to (`Private_Dirty`), in bytes.
    public var privateDirty: UInt64
    /// Pages that stand for no file (`Anonymous`), in bytes.
    public var anonymous: UInt64
    /// Open descriptors.
    public var descriptors: Int
    /// CPU time of the server while it held them, as a part of one core.
    public var cpuShare: Double
    /// The slab memory of the kernel (`Slab`), of the whole machine and so of both ends, in bytes;
    /// `nil` is not known.
    public var kernel: UInt64?

    /// What a server held.
    public init(
      clients: Int, proportional: UInt64, privateDirty: UInt64, anonymous: UInt64,
      descriptors: Int, cpuShare: Double
    ) {
      self.clients = clients
      self.proportional = proportional
      self.privateDirty = privateDirty
      self.anonymous = anonymous
      self.descriptors = descriptors
      self.cpuShare = cpuShare
    }
  }

  /// What was read, by growing number of connections.
  public var steps: [Step]
  /// Growth of `Pss` per connection, in bytes.
  public var proportionalPerConnection: Slope?
  /// Growth of `Private_Dirty` per connection, in bytes.
  public var privateDirtyPerConnection: Slope?
  /// Growth of `Anonymous` per connection, in bytes.
  public var anonymousPerConnection: Slope?
  /// Growth of open descriptors per connection.
  public var descriptorsPerConnection: Slope?
  /// Growth of the kernel's slab memory per connection, both ends together, in bytes; whatever else
  /// the machine does is in it.
  public var kernelPerConnection: Slope?

  /// The slopes over what was read; `nil` with fewer than three readings.
  public init(steps: [Step]) {
    self.steps = steps
    let slope: ((Step) -> Double) -> Slope? = { value in
      Slope(steps.map { (Double($0.clients), value($0)) })
    }
    proportionalPerConnection = slope { Double($0.proportional) }
    privateDirtyPerConnection = slope { Double($0.privateDirty) }
    anonymousPerConnection = slope { Double($0.anonymous) }
    descriptorsPerConnection = slope { Double($0.descriptors) }
    let kernel = steps.compactMap { step in step.kernel.map { (Double(step.clients), Double($0)) } }
    kernelPerConnection = kernel.count == steps.count ? Slope(kernel) : nil
  }
}

/// How much something grows with each unit of something else: a least-squares line.
public struct Slope: Sendable, Equatable, Codable {
  /// The growth per unit.
  public var value: Double
  /// The standard error of the growth, from how far the points lie off the line.
  public var standardError: Double

  /// The line through some points; `nil` with fewer than three, or all at one place.
  public init?(_ points: [(x: Double, y: Double)]) {
    let count = Double(points.count)
    let meanX = points.reduce(0) { $0 + $1.x } / count
    let meanY = points.reduce(0) { $0 + $1.y } / count
    let spread = points.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
    guard points.count >= 3, spread > 0 else { return nil }
    let slope = points.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) } / spread
    let residue = points.reduce(0) { sum, point in
      let off = point.y - meanY - slope * (point.x - meanX)
      return sum + off * off
    }
    value = slope
    standardError = (residue / (count - 2) / spread).squareRoot()
  }

  /// Whether the growth stands clearly above what chance could make of none.
  public var isSound: Bool { value > 2 * standardError }
}
