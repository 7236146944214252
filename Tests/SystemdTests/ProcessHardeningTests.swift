import CPrctl
import Glibc
import Systemd
import Testing

struct ProcessHardeningTests {
  @Test func noCoreIsLeftAndTheSettingsCannotBeUndone() async {
    await #expect(processExitsWith: .success) {
      try ProcessHardening.apply()
      var limit = rlimit(rlim_cur: 1, rlim_max: 1)
      #expect(getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0)
      #expect(limit.rlim_cur == 0 && limit.rlim_max == 0)
      #expect(cprctl_get_dumpable() == 0)
    }
  }

  @Test func aPeerThatHangsUpIsAnErrorAndNotASignal() async {
    await #expect(processExitsWith: .success) {
      try ProcessHardening.apply()
      var ends: [Int32] = [0, 0]
      #expect(pipe(&ends) == 0)
      close(ends[0])
      #expect(write(ends[1], "x", 1) == -1)
      #expect(errno == EPIPE)
      #expect(raise(SIGIO) == 0)
    }
  }

  @Test func aCrashEndsTheProcessWhateverTheRuntimeHadInMind() async {
    await #expect(processExitsWith: .signal(SIGABRT)) {
      signal(SIGABRT) { _ in exit(0) }
      try ProcessHardening.apply()
      abort()
    }
    await #expect(processExitsWith: .signal(SIGSEGV)) {
      signal(SIGSEGV) { _ in exit(0) }
      try ProcessHardening.apply()
      raise(SIGSEGV)
    }
  }

  @Test func newFilesArePrivateToTheGroupUnlessAskedOtherwise() async {
    await #expect(processExitsWith: .success) {
      try ProcessHardening.apply()
      #expect(umask(0) == 0o027)
      try ProcessHardening.apply(umask: 0o077)
      #expect(umask(0) == 0o077)
    }
  }
}
