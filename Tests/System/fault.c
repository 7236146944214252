/* The Nth operation of a kind fails: LD_PRELOAD this. Only the process itself is affected, and of its files only those
   below one folder. All by environment:

   FAULT_REPORT   a file of REPORT bytes that this fills: how often each kind was called, how often it failed, where first
   FAULT_FOLDER   files elsewhere never fail, and do not count
   FAULT_KIND     one of `names` below; empty: nothing fails
   FAULT_NUMBER   which call of that kind fails, from 1
   FAULT_ERROR    its errno value
   FAULT_CURED    a file. Without it, one call fails; with it, all from that one on fail until the file exists
   FAULT_LIBRARY  for memory: only what is allocated by the library whose file name has this in it */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { OPEN, READ, WRITE, FSYNC, RENAME, MKDIR, UNLINK, TRUNCATE, STAT, LIST, LOCK, MODE, MMAP, ACCEPT, SOCKET, INOTIFY,
            LOG, POLL, MEMORY, KINDS };
static const char *const names[KINDS] = {
    "open", "read", "write", "fsync", "rename", "mkdir", "unlink", "truncate", "stat", "list", "lock", "mode", "mmap", "accept",
    "socket", "inotify", "log", "poll", "memory"};

struct report {
  struct { char name[16]; uint64_t calls; } kinds[32];
  uint64_t failed;
  char first[504];
};
enum { REPORT = sizeof(struct report) };

static struct report *report;
static const char *folder, *cured, *library;
static size_t folder_length;
static enum kind wanted = KINDS;
static uint64_t number;
static int error;
static uintptr_t library_begin, library_end;

/* The library whose allocations count. It may be loaded after this one, so it is looked for until it is there. */
static int look(struct dl_phdr_info *info, size_t size, void *unused) {
  (void)size, (void)unused;
  if (!strstr(info->dlpi_name, library)) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    if (info->dlpi_phdr[i].p_type != PT_LOAD) continue;
    uintptr_t begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr, end = begin + info->dlpi_phdr[i].p_memsz;
    if (!library_begin || begin < library_begin) library_begin = begin;
    if (end > library_end) library_end = end;
  }
  return 1;
}

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULT_REPORT"), *kind = getenv("FAULT_KIND");
  folder = getenv("FAULT_FOLDER");
  if (!path || !folder) return;
  folder_length = strlen(folder);
  cured = getenv("FAULT_CURED");
  library = getenv("FAULT_LIBRARY");
  if (getenv("FAULT_NUMBER")) number = strtoull(getenv("FAULT_NUMBER"), NULL, 10);
  if (getenv("FAULT_ERROR")) error = atoi(getenv("FAULT_ERROR"));
  if (library) dl_iterate_phdr(look, NULL);
  int file = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  void *place = (void *)syscall(SYS_mmap, NULL, (size_t)REPORT, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  syscall(SYS_close, file);
  if (place == MAP_FAILED) return;
  struct report *filled = place;
  for (int i = 0; i < KINDS; i++) {
    strcpy(filled->kinds[i].name, names[i]);
    if (kind && !strcmp(kind, names[i])) wanted = i;
  }
  report = filled;
}

/* Counts a call, and decides: true when it fails, with errno set. */
static int fails(enum kind kind, const char *what, const char *where) {
  uint64_t call = __atomic_add_fetch(&report->kinds[kind].calls, 1, __ATOMIC_RELAXED);
  if (kind != wanted || call < number || (!cured && call > number)) return 0;
  if (cured && syscall(SYS_faccessat, AT_FDCWD, cured, F_OK) == 0) return 0;
  if (__atomic_add_fetch(&report->failed, 1, __ATOMIC_RELAXED) == 1) {
    size_t length = strlen(what), rest = strlen(where);
    if (rest > sizeof report->first - length - 2) rest = sizeof report->first - length - 2;
    memcpy(report->first, what, length);
    report->first[length] = ' ';
    memcpy(report->first + length + 1, where, rest);
  }
  errno = error;
  return 1;
}

static int is_ours(const char *path) {
  return !strncmp(path, folder, folder_length) && (path[folder_length] == '/' || !path[folder_length]);
}

/* The file that a descriptor is open on, or that a name in /proc/self/fd leads to. False when it is not ours. */
static int resolve(int descriptor, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_ours(path);
}

static int fails_on(enum kind kind, const char *what, int descriptor) {
  char path[PATH_MAX];
  if (!report || descriptor < 0) return 0;
  int saved = errno;
  int ours = resolve(descriptor, path);
  errno = saved;
  return ours && fails(kind, what, path + folder_length);
}

static int fails_at(enum kind kind, const char *what, int at, const char *name) {
  char path[2 * PATH_MAX];
  int link;
  if (!report || !name) return 0;
  int saved = errno, ours;
  if (sscanf(name, "/proc/self/fd/%d", &link) == 1) {
    ours = resolve(link, path);
  } else if (name[0] == '/' || at == AT_FDCWD) {
    ours = is_ours(name);
    snprintf(path, sizeof path, "%s", name);
  } else if ((ours = resolve(at, path))) {
    size_t length = strlen(path);
    snprintf(path + length, sizeof path - length, "/%s", name);
  }
  errno = saved;
  return ours && fails(kind, what, path + folder_length);
}

static int fails_anywhere(enum kind kind, const char *what) { return report && fails(kind, what, ""); }

/* REAL(name) is the C library's own function. */
#define REAL(name)                                                                                                     \
  static __typeof__(name) *real;                                                                                       \
  if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define OPENS(name)                                                                                                    \
  int name(const char *path, int flags, ...) {                                                                         \
    REAL(name);                                                                                                        \
    va_list rest;                                                                                                      \
    va_start(rest, flags);                                                                                             \
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                          \
    va_end(rest);                                                                                                      \
    return fails_at(OPEN, "open", AT_FDCWD, path) ? -1 : real(path, flags, mode);                                      \
  }
#define OPENS_AT(name)                                                                                                 \
  int name(int at, const char *path, int flags, ...) {                                                                 \
    REAL(name);                                                                                                        \
    va_list rest;                                                                                                      \
    va_start(rest, flags);                                                                                             \
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                          \
    va_end(rest);                                                                                                      \
    return fails_at(OPEN, "openat", at, path) ? -1 : real(at, path, flags, mode);                                      \
  }
OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)

/* CALL(result, name, whether it fails, parameters, arguments...) */
#define CALL(type, name, test, parameters, ...)                                                                        \
  type name parameters {                                                                                               \
    REAL(name);                                                                                                        \
    return (test) ? (type)-1 : real(__VA_ARGS__);                                                                      \
  }

CALL(ssize_t, read, fails_on(READ, "read", file), (int file, void *to, size_t size), file, to, size)
CALL(ssize_t, pread, fails_on(READ, "pread", file), (int file, void *to, size_t size, off_t at), file, to, size, at)
CALL(ssize_t, pread64, fails_on(READ, "pread", file), (int file, void *to, size_t size, off64_t at), file, to, size, at)
CALL(ssize_t, write, file == 2 ? fails_anywhere(LOG, "write") : fails_on(WRITE, "write", file),
     (int file, const void *from, size_t size), file, from, size)
CALL(ssize_t, pwrite, fails_on(WRITE, "pwrite", file), (int file, const void *from, size_t size, off_t at), file, from, size, at)
CALL(ssize_t, pwrite64, fails_on(WRITE, "pwrite", file), (int file, const void *from, size_t size, off64_t at), file, from, size,
     at)
CALL(int, fsync, fails_on(FSYNC, "fsync", file), (int file), file)
CALL(int, fdatasync, fails_on(FSYNC, "fdatasync", file), (int file), file)
CALL(int, ftruncate, fails_on(TRUNCATE, "ftruncate", file), (int file, off_t size), file, size)
CALL(int, ftruncate64, fails_on(TRUNCATE, "ftruncate", file), (int file, off64_t size), file, size)

CALL(int, rename, fails_at(RENAME, "rename", AT_FDCWD, to), (const char *from, const char *to), from, to)
CALL(int, renameat, fails_at(RENAME, "renameat", at, to), (int old, const char *from, int at, const char *to), old, from, at, to)
CALL(int, renameat2, fails_at(RENAME, "renameat2", at, to),
     (int old, const char *from, int at, const char *to, unsigned flags), old, from, at, to, flags)
CALL(int, linkat, fails_at(RENAME, "linkat", at, to), (int old, const char *from, int at, const char *to, int flags), old, from,
     at, to, flags)
CALL(int, mkdir, fails_at(MKDIR, "mkdir", AT_FDCWD, path), (const char *path, mode_t mode), path, mode)
char *mkdtemp(char *path) {
  REAL(mkdtemp);
  return fails_at(MKDIR, "mkdtemp", AT_FDCWD, path) ? NULL : real(path);
}
CALL(int, unlink, fails_at(UNLINK, "unlink", AT_FDCWD, path), (const char *path), path)
CALL(int, unlinkat, fails_at(UNLINK, "unlinkat", at, path), (int at, const char *path, int flags), at, path, flags)
CALL(int, rmdir, fails_at(UNLINK, "rmdir", AT_FDCWD, path), (const char *path), path)

CALL(int, stat, fails_at(STAT, "stat", AT_FDCWD, path), (const char *path, struct stat *to), path, to)
CALL(int, stat64, fails_at(STAT, "stat", AT_FDCWD, path), (const char *path, struct stat64 *to), path, to)
CALL(int, lstat, fails_at(STAT, "lstat", AT_FDCWD, path), (const char *path, struct stat *to), path, to)
CALL(int, lstat64, fails_at(STAT, "lstat", AT_FDCWD, path), (const char *path, struct stat64 *to), path, to)
CALL(int, fstat, fails_on(STAT, "fstat", file), (int file, struct stat *to), file, to)
CALL(int, fstat64, fails_on(STAT, "fstat", file), (int file, struct stat64 *to), file, to)
CALL(int, fstatat, fails_at(STAT, "fstatat", at, path), (int at, const char *path, struct stat *to, int flags), at, path, to, flags)
CALL(int, faccessat, fails_at(STAT, "faccessat", at, path), (int at, const char *path, int mode, int flags), at, path, mode, flags)

DIR *opendir(const char *path) {
  REAL(opendir);
  return fails_at(LIST, "opendir", AT_FDCWD, path) ? NULL : real(path);
}
DIR *fdopendir(int file) {
  REAL(fdopendir);
  return fails_on(LIST, "fdopendir", file) ? NULL : real(file);
}
struct dirent *readdir(DIR *stream) {
  REAL(readdir);
  return fails_on(LIST, "readdir", dirfd(stream)) ? NULL : real(stream);
}

CALL(int, flock, fails_on(LOCK, "flock", file), (int file, int operation), file, operation)
#define CONTROLS(name)                                                                                                 \
  int name(int file, int command, ...) {                                                                               \
    REAL(name);                                                                                                        \
    va_list rest;                                                                                                      \
    va_start(rest, command);                                                                                           \
    void *argument = va_arg(rest, void *);                                                                             \
    va_end(rest);                                                                                                      \
    int locks = command == F_SETLK || command == F_SETLKW || command == F_GETLK;                                       \
    /* The system never refuses to release a lock. */                                                                  \
    if (locks && ((struct flock *)argument)->l_type == F_UNLCK) locks = 0;                                             \
    return locks && fails_on(LOCK, "fcntl", file) ? -1 : real(file, command, argument);                                \
  }
CONTROLS(fcntl)
CONTROLS(fcntl64)

CALL(int, fchmod, fails_on(MODE, "fchmod", file), (int file, mode_t mode), file, mode)
CALL(int, fchmodat, fails_at(MODE, "fchmodat", at, path), (int at, const char *path, mode_t mode, int flags), at, path, mode, flags)
CALL(int, fchown, fails_on(MODE, "fchown", file), (int file, uid_t user, gid_t group), file, user, group)

CALL(void *, mmap, fails_on(MMAP, "mmap", file), (void *to, size_t size, int access, int flags, int file, off_t at), to, size,
     access, flags, file, at)
CALL(void *, mmap64, fails_on(MMAP, "mmap", file), (void *to, size_t size, int access, int flags, int file, off64_t at), to, size,
     access, flags, file, at)

CALL(int, accept, fails_anywhere(ACCEPT, "accept"), (int file, struct sockaddr *from, socklen_t *size), file, from, size)
CALL(int, accept4, fails_anywhere(ACCEPT, "accept4"), (int file, struct sockaddr *from, socklen_t *size, int flags), file, from,
     size, flags)
CALL(int, socket, fails_anywhere(SOCKET, "socket"), (int domain, int type, int protocol), domain, type, protocol)
CALL(int, poll, fails_anywhere(POLL, "poll"), (struct pollfd * files, nfds_t count, int wait), files, count, wait)

int inotify_init1(int);
int inotify_add_watch(int, const char *, uint32_t);
CALL(int, inotify_init1, fails_anywhere(INOTIFY, "inotify_init1"), (int flags), flags)
CALL(int, inotify_add_watch, fails_at(INOTIFY, "inotify_add_watch", AT_FDCWD, path), (int file, const char *path, uint32_t mask),
     file, path, mask)

/* Memory. The C library's own functions under their other names: dlsym allocates. */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static int fails_for(const void *caller) {
  if (!report || wanted != MEMORY) return 0;
  if (library && ((uintptr_t)caller < library_begin || (uintptr_t)caller >= library_end)) return 0;
  return fails(MEMORY, "malloc", library ? library : "");
}
void *malloc(size_t size) { return fails_for(__builtin_return_address(0)) ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) {
  return fails_for(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}
void *realloc(void *old, size_t size) { return fails_for(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size); }
