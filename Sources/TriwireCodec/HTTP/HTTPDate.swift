/// Dates as `Date` header fields have them (RFC 9110 §5.6.7).
package enum HTTPDate {
  /// The IMF-fixdate of a time, `Sun, 06 Nov 1994 08:49:37 GMT`: 29 bytes.
  ///
  /// Seconds count from 1970-01-01 00:00 UTC, and are held to the years 1970 to 9999.
  package static func bytes(unixSeconds seconds: Int) -> [UInt8] {
    let seconds = min(max(seconds, 0), 253_402_300_799)
    let day = seconds / 86400
    let (year, month, dayOfMonth) = civil(day)
    let clock = seconds % 86400
    var text = name(day + 4, of: "SunMonTueWedThuFriSat", count: 7)
    text += ", \(two(dayOfMonth)) "
    text += name(month - 1, of: "JanFebMarAprMayJunJulAugSepOctNovDec", count: 12)
    text += " \(year) \(two(clock / 3600)):\(two(clock / 60 % 60)):\(two(clock % 60)) GMT"
    return [UInt8](text.utf8)
  }

  /// The line of a `Date` field with the time, CRLF included: 37 bytes.
  package static func line(unixSeconds seconds: Int) -> [UInt8] {
    Array("date: ".utf8) + bytes(unixSeconds: seconds) + [Byte.cr, Byte.lf]
  }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

  private static func name(_ index: Int, of names: String, count: Int) -> String {
    String(names.dropFirst(index % count * 3).prefix(3))
  }

  /// Year, month and day of a day since 1970-01-01, by whole eras of 400 years, a year beginning
  /// in March so that the leap day is its last.
  private static func civil(_ day: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = day + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
  }
}
