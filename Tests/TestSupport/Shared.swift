import TriwireIO

/// A value that many threads change.
package final class Shared<Value: Sendable>: Sendable {
  private let state: Guarded<Value>

  package init(_ value: Value) { state = Guarded(value) }

  /// The value as it is now.
  package var value: Value { state.withLock { $0 } }

  /// Changes the value; nobody sees it in between.
  package func change(_ body: (inout Value) -> Void) { state.withLock { body(&$0) } }
}
