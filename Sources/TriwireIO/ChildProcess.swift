import CLinux
import Glibc

/// A program that was started from this one.
///
/// Unlike Foundation's, it may be started while other threads open and close descriptors by the
/// thousand.
public final class ChildProcess: Sendable {
  /// What a program reads or writes.
  public enum Channel: Sendable {
    /// Nothing comes, and what is written is lost.
    case null
    /// The channel of this program.
    case inherited
    /// A pipe, whose other end stays here.
    case pipe
  }

  /// The number of the process.
  public let identifier: Int32
  /// Our end of its standard input, if that is a pipe; whoever takes it closes it.
  public let input: Int32?
  /// Our end of its standard output, if that is a pipe; whoever takes it closes it.
  public let output: Int32?
  /// Our end of its standard error, if that is a pipe; whoever takes it closes it.
  public let complaints: Int32?

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - executable: The path of its file.
  ///   - words: What follows its name on the command line.
  ///   - folder: Where it starts; nil for the folder of this program.
  ///   - input: What it reads.
  ///   - output: What it prints to.
  ///   - complaints: What it complains to.
  /// - Throws: `IOError` when there is no such file, or the system is out of something.
  public init(
    _ executable: String, _ words: [String], in folder: String? = nil, input: Channel = .null,
    output: Channel = .null, complaints: Channel = .inherited
  ) throws(IOError) {
    let ends = try Ends.open([input, output, complaints])
    let (reads, prints, complains) = (ends[0], ends[1], ends[2])
    var number: Int32 = 0
    var arguments = unsafe ([executable] + words).map { unsafe strdup($0) }
    unsafe arguments.append(nil)
    let place = unsafe folder.map { unsafe strdup($0) } ?? nil
    let status = unsafe tw_spawn(
      executable, arguments, place, reads.reading, prints.writing, complains.writing, &number)
    for index in unsafe arguments.indices { unsafe free(arguments[index]) }
    unsafe free(place)
    reads.close(reading: true, writing: status < 0)
    prints.close(reading: status < 0, writing: true)
    complains.close(reading: status < 0, writing: true)
    if status < 0 { throw IOError("start \(executable)", code: -status) }
    identifier = number
    self.input = reads.isPipe ? reads.writing : nil
    self.output = prints.isPipe ? prints.reading : nil
    self.complaints = complains.isPipe ? complains.reading : nil
  }

  /// Waits, on this thread, until it is gone; call it once.
  ///
  /// - Returns: The status it ended with, or 128 and the number of the signal that ended it.
  @discardableResult
  public func waitUntilGone() -> Int32 { tw_wait_for(identifier) }

  /// The two ends of a channel; descriptors below zero are none.
  private struct Ends {
    var reading: Int32
    var writing: Int32
    let isPipe: Bool

    /// Those of the standard channels in order: all, or none when there are no descriptors left.
    static func open(_ channels: [Channel]) throws(IOError) -> [Ends] {
      var all: [Ends] = []
      for channel in channels {
        do throws(IOError) {
          all.append(try Ends(channel, inherited: Int32(all.count)))
        } catch {
          for ends in all { ends.close(reading: true, writing: true) }
          throw error
        }
      }
      return all
    }

    private init(_ channel: Channel, inherited: Int32) throws(IOError) {
      isPipe = if case .pipe = channel { true } else { false }
      reading = if case .inherited = channel { inherited } else { -1 }
      writing = reading
      guard isPipe else { return }
      _ = unsafe try check(tw_pipe(&reading, &writing), "make a pipe")
    }

    func close(reading closesReading: Bool, writing closesWriting: Bool) {
      guard isPipe else { return }
      if closesReading { Glibc.close(reading) }
      if closesWriting { Glibc.close(writing) }
    }
  }
}
