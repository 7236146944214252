import Glibc
package import Registration

/// The process's use of the machine, under the names that every Prometheus client uses.
package struct ProcessUsage: Sendable {
  private var cpuSeconds: Double
  private var residentBytes: Int?
  private var virtualBytes: Int?
  private var openFiles: Int?
  private var mostFiles: Int?
  private var startedAt: Timestamp

  /// For this process, now. Values that the system does not provide (proc(5) may be hidden) are left out.
  package init(startedAt: Timestamp) {
    self.startedAt = startedAt
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    let seconds = { (time: timeval) in Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
    let pages = Self.pages()
    virtualBytes = pages.map { $0.total * Int(getpagesize()) }
    residentBytes = pages.map { $0.resident * Int(getpagesize()) }
    openFiles = Self.countOfFiles()
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { mostFiles = Int(clamping: limit.rlim_cur) }
  }

  func write(to text: inout OpenMetricsText) {
    text.family("process_cpu_seconds", .counter, unit: "seconds", help: "Processor time spent.")
    text.sample(cpuSeconds, suffix: "_total")
    text.moment("process_start_time_seconds", startedAt, help: "When the process started.")
    text.number("process_resident_memory_bytes", residentBytes, unit: "bytes", help: "Memory in use.")
    text.number("process_virtual_memory_bytes", virtualBytes, unit: "bytes", help: "Address space in use.")
    text.number("process_open_fds", openFiles, help: "Open file descriptors.")
    text.number("process_max_fds", mostFiles, help: "Maximum number of open file descriptors.")
  }

  /// `/proc/self/statm`: pages of the address space, and those in memory.
  private static func pages() -> (total: Int, resident: Int)? {
    let descriptor = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    guard let bytes = try? FileIO.read(descriptor, upTo: 128) else { return nil }
    let numbers = String(decoding: bytes, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
    return numbers.count > 1 ? (numbers[0], numbers[1]) : nil
  }

  private static func countOfFiles() -> Int? {
    guard let folder = opendir("/proc/self/fd") else { return nil }
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    // Minus `.`, `..` and the folder itself.
    return count - 3
  }
}

extension OpenMetricsText {
  /// A gauge with one number; none when it is unknown.
  mutating func number(_ name: String, _ value: Int?, unit: String? = nil, help: String) {
    family(name, .gauge, unit: unit, help: help)
    if let value { sample(value) }
  }

  /// A gauge in seconds since 1970; none when it is unknown.
  mutating func moment(_ name: String, _ time: Timestamp?, help: String) {
    family(name, .gauge, unit: "seconds", help: help)
    if let time { sample(Double(time.milliseconds) / 1_000) }
  }
}
