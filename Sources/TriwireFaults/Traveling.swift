import TriwireIO

/// How bytes travel before the relay reads them, where it imitates a network.
///
/// They enter the line as they come, and come out when they are due: what a link does with bytes, it
/// does at the far end of the line.
extension Link {
  /// Takes bytes that came from one side onto the line.
  func travel(_ bytes: Span<UInt8>, _ lane: Lane) {
    let now = EventLoop.clock()
    if let due = lane.wire?.enter(bytes, at: now) {
      (lane === up ? down : up).wire?.answered(by: due, at: now)
    }
    // While they travel there is time to connect.
    if lane === up { connect() }
    arrange(lane)
    settle(lane)
  }

  /// Takes the end of a direction onto the line.
  func travel(_ ending: Fault.Ending, _ lane: Lane) {
    lane.wire?.end(ending, at: EventLoop.clock())
    arrange(lane)
  }

  /// Sees to it that what comes next is delivered when it is due.
  func arrange(_ lane: Lane) {
    guard let due = lane.wire?.nextDue, !isOver, canTake(lane) else { return }
    guard lane.alarm.map({ due < $0 }) ?? true else { return }
    lane.alarm = due
    let isUp = lane === up
    // What was due already had to wait for its receiver, which is none of the relay's errors.
    let isTimed = due > EventLoop.clock()
    loop.schedule(at: due) { [weak self] in
      guard let self, !isOver else { return }
      let lane = isUp ? up : down
      // An earlier one has come in its place otherwise.
      guard lane.alarm == due else { return }
      lane.alarm = nil
      deliver(lane, isTimed ? due : nil)
    }
  }

  private func deliver(_ lane: Lane, _ planned: UInt64?) {
    home.obey()
    guard !isOver else { return }
    let now = EventLoop.clock()
    while !isOver, canTake(lane), let (arrival, due) = lane.wire?.take(at: now) {
      if due == planned { home.told(late: now - due) }
      switch arrival {
      case .bytes(let bytes): take(bytes.span, lane)
      case .end(.finish):
        lane.sourceHasEnded = true
        settle(lane)
      case .end(.reset): broken(lane)
      }
    }
    arrange(lane)
    settle(lane)
  }
}
