/* Records what a process does to the files below the folder POWER_ROOT: LD_PRELOAD this. Each record is appended to the
   file POWER_LOG once its call has succeeded, and no other call comes in between, in any process: the log has the calls in
   the order in which they happened. What is written to a socket is recorded, too, before it is sent. See power_disk.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* A call of the C library itself, not ours. */
#define REAL(name, ...) ((__typeof__(&name))real(#name))(__VA_ARGS__)

static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int output = -1;
static const char *root;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("POWER_LOG");
  root = getenv("POWER_ROOT");
  if (path && root) output = REAL(open, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void enter(void) {
  pthread_mutex_lock(&mutex);
  while (flock(output, LOCK_EX) && errno == EINTR) {}
}

static void leave(void) {
  flock(output, LOCK_UN);
  pthread_mutex_unlock(&mutex);
}

struct head {
  uint64_t op, a, b, c;
  uint32_t one, other;
};

static void record(char op, uint64_t a, uint64_t b, uint64_t c, const void *one, size_t n1, const void *other, size_t n2) {
  struct head head = {(unsigned char)op, a, b, c, n1, n2};
  struct iovec parts[] = {{&head, sizeof head}, {(void *)one, n1}, {(void *)other, n2}};
  if (REAL(writev, output, parts, 3) != (ssize_t)(sizeof head + n1 + n2)) abort();
}

/* Whether an open file is one of those that are recorded. */
static int watched(int fd, struct stat *status) {
  char link[64], path[PATH_MAX];
  if (output < 0 || fstat(fd, status) || !(S_ISREG(status->st_mode) || S_ISDIR(status->st_mode))) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  size_t size = strlen(root);
  return !strncmp(path, root, size) && (path[size] == '/' || !path[size]);
}

/* A name in a folder: the folder's number, 0 when it is not recorded. */
struct name {
  uint64_t folder;
  const char *last;
};

static struct name named(int fd, const char *path) {
  struct name name = {0, path};
  struct stat status;
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  if (output < 0) return name;
  if (slash) {
    name.last = slash + 1;
    snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path), path);
  } else {
    strcpy(folder, ".");
  }
  int number = REAL(openat, fd, folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (number < 0) return name;
  if (watched(number, &status)) name.folder = status.st_ino;
  close(number);
  return name;
}

static uint64_t inode(int fd, const char *path) {
  struct stat status;
  return fstatat(fd, path, &status, AT_SYMLINK_NOFOLLOW) ? 0 : status.st_ino;
}

static void made(struct name name, uint64_t number, int folder) {
  record('C', name.folder, number, folder, name.last, strlen(name.last), NULL, 0);
}

static int opened(int at, const char *path, int flags, mode_t mode) {
  struct name name = flags & (O_CREAT | O_TRUNC) ? named(at, path) : (struct name){0, path};
  if (!name.folder) return REAL(openat, at, path, flags, mode);
  enter();
  int is_new = !inode(at, path);
  int fd = REAL(openat, at, path, flags, mode);
  int reason = errno;
  if (fd >= 0 && is_new) made(name, inode(at, path), 0);
  if (fd >= 0 && !is_new && flags & O_TRUNC) record('T', inode(at, path), 0, 0, NULL, 0, NULL, 0);
  leave();
  errno = reason;
  return fd;
}

#define MODE(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }

int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return opened(at, path, flags | O_LARGEFILE, mode); }

static int is_socket(int fd) {
  struct stat status;
  return output >= 0 && !fstat(fd, &status) && S_ISSOCK(status.st_mode);
}

/* What others are told. */
static void told(const void *bytes, size_t size) {
  int reason = errno;
  enter();
  record('M', 0, 0, 0, NULL, 0, bytes, size < 16384 ? size : 16384);
  leave();
  errno = reason;
}

static void told_parts(const struct iovec *parts, size_t count) {
  for (size_t n = 0; n < count; n++) told(parts[n].iov_base, parts[n].iov_len);
}

ssize_t write(int fd, const void *bytes, size_t size) {
  struct stat status;
  if (is_socket(fd)) told(bytes, size);
  if (fd == output || !watched(fd, &status)) return REAL(write, fd, bytes, size);
  enter();
  ssize_t written = REAL(write, fd, bytes, size);
  int reason = errno;
  if (written > 0) record('W', status.st_ino, lseek(fd, 0, SEEK_CUR) - written, 0, NULL, 0, bytes, written);
  leave();
  errno = reason;
  return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset) {
  struct stat status;
  if (!watched(fd, &status)) return REAL(pwrite, fd, bytes, size, offset);
  enter();
  ssize_t written = REAL(pwrite, fd, bytes, size, offset);
  int reason = errno;
  if (written > 0) record('W', status.st_ino, offset, 0, NULL, 0, bytes, written);
  leave();
  errno = reason;
  return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) { return pwrite(fd, bytes, size, offset); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (is_socket(fd)) told_parts(parts, count);
  return REAL(writev, fd, parts, count);
}

ssize_t send(int fd, const void *bytes, size_t size, int flags) {
  if (is_socket(fd)) told(bytes, size);
  return REAL(send, fd, bytes, size, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
  if (is_socket(fd)) told_parts(message->msg_iov, message->msg_iovlen);
  return REAL(sendmsg, fd, message, flags);
}

int ftruncate(int fd, off_t size) {
  struct stat status;
  if (!watched(fd, &status)) return REAL(ftruncate, fd, size);
  enter();
  int result = REAL(ftruncate, fd, size), reason = errno;
  if (!result) record('T', status.st_ino, size, 0, NULL, 0, NULL, 0);
  leave();
  errno = reason;
  return result;
}

int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }

static int synced(int fd, int (*sync)(int)) {
  struct stat status;
  if (!watched(fd, &status)) return sync(fd);
  enter();
  int result = sync(fd), reason = errno;
  if (!result) record('S', status.st_ino, 0, 0, NULL, 0, NULL, 0);
  leave();
  errno = reason;
  return result;
}

/* Whether the machine's own disk has it does not matter here. */
static int no_sync(int fd) { return fd < 0 ? -1 : 0; }

int fsync(int fd) { return synced(fd, no_sync); }
int fdatasync(int fd) { return synced(fd, no_sync); }

int renameat2(int at, const char *old, int new_at, const char *new, unsigned flags) {
  struct name from = named(at, old), to = named(new_at, new);
  if (!from.folder && !to.folder) return REAL(renameat2, at, old, new_at, new, flags);
  enter();
  int result = REAL(renameat2, at, old, new_at, new, flags), reason = errno;
  if (!result) {
    record('R', from.folder, to.folder, inode(new_at, new), from.last, strlen(from.last), to.last, strlen(to.last));
  }
  leave();
  errno = reason;
  return result;
}

int renameat(int at, const char *old, int new_at, const char *new) { return renameat2(at, old, new_at, new, 0); }
int rename(const char *old, const char *new) { return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }

int linkat(int at, const char *old, int new_at, const char *new, int flags) {
  struct name to = named(new_at, new);
  if (!to.folder) return REAL(linkat, at, old, new_at, new, flags);
  enter();
  int result = REAL(linkat, at, old, new_at, new, flags), reason = errno;
  if (!result) record('L', to.folder, inode(new_at, new), 0, to.last, strlen(to.last), NULL, 0);
  leave();
  errno = reason;
  return result;
}

int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

int unlinkat(int at, const char *path, int flags) {
  struct name name = named(at, path);
  if (!name.folder) return REAL(unlinkat, at, path, flags);
  enter();
  int result = REAL(unlinkat, at, path, flags), reason = errno;
  if (!result) record('U', name.folder, 0, 0, name.last, strlen(name.last), NULL, 0);
  leave();
  errno = reason;
  return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int at, const char *path, mode_t mode) {
  struct name name = named(at, path);
  if (!name.folder) return REAL(mkdirat, at, path, mode);
  enter();
  int result = REAL(mkdirat, at, path, mode), reason = errno;
  if (!result) made(name, inode(at, path), 1);
  leave();
  errno = reason;
  return result;
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
