/* Time that passes faster for one process: LD_PRELOAD this; FAST_CLOCK names a file of four numbers of eight bytes, which a check
   changes while the process runs (see fast_clock.py):

     a count, odd while the rest is being changed; how often faster; since when, on the real monotonic clock; how far ahead then

   All clocks run ahead alike. Timers and waits are shortened. A wait that has begun goes on at the old speed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

typedef struct {
  volatile int64_t count;
  volatile double rate;
  volatile int64_t since, ahead;
} clock_page;

enum { SECOND = 1000000000 };

static int (*real_gettime)(clockid_t, struct timespec *);

static clock_page *page(void) {
  static clock_page *mapped;
  if (!mapped) {
    int file = open(getenv("FAST_CLOCK"), O_RDONLY | O_CLOEXEC);
    void *memory = mmap(NULL, sizeof(clock_page), PROT_READ, MAP_SHARED, file, 0);
    if (file < 0 || memory == MAP_FAILED) abort();
    close(file);
    mapped = memory;
  }
  return mapped;
}

static int64_t real_now(clockid_t id) {
  struct timespec time;
  if (!real_gettime) real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  real_gettime(id, &time);
  return time.tv_sec * (int64_t)SECOND + time.tv_nsec;
}

/* How far ahead the clocks are now, and how fast they run. */
static int64_t ahead(double *rate) {
  clock_page *p = page();
  int64_t count, result;
  do {
    count = __atomic_load_n(&p->count, __ATOMIC_ACQUIRE);
    *rate = p->rate;
    result = p->ahead + (int64_t)((p->rate - 1) * (double)(real_now(CLOCK_MONOTONIC) - p->since));
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
  } while ((count & 1) || count != p->count);
  return result;
}

static int is_sped_up(clockid_t id) {
  return id == CLOCK_REALTIME || id == CLOCK_MONOTONIC || id == CLOCK_BOOTTIME || id == CLOCK_REALTIME_COARSE ||
         id == CLOCK_MONOTONIC_COARSE || id == CLOCK_MONOTONIC_RAW;
}

static struct timespec spec(int64_t nanoseconds) {
  struct timespec time = {nanoseconds / SECOND, nanoseconds % SECOND};
  return time;
}

static int64_t nanoseconds(const struct timespec *time) { return time->tv_sec * (int64_t)SECOND + time->tv_nsec; }

/* The real moment of an absolute time. */
static struct timespec real_moment(clockid_t id, const struct timespec *time) {
  double rate;
  int64_t now = real_now(id), left = nanoseconds(time) - (now + ahead(&rate));
  return spec(now + (left > 0 ? (int64_t)((double)left / rate) : 0));
}

static int64_t shorter(int64_t time) {
  double rate;
  ahead(&rate);
  return (int64_t)((double)time / rate);
}

int clock_gettime(clockid_t id, struct timespec *time) {
  if (!is_sped_up(id)) {
    if (!real_gettime) real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    return real_gettime(id, time);
  }
  double rate;
  *time = spec(real_now(id) + ahead(&rate));
  return 0;
}

int gettimeofday(struct timeval *time, void *zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

static clockid_t timer_clocks[1024];

int timerfd_create(int id, int flags) {
  static int (*real)(int, int);
  if (!real) real = dlsym(RTLD_NEXT, "timerfd_create");
  int timer = real(id, flags);
  if (timer >= 0 && timer < 1024) timer_clocks[timer] = id;
  return timer;
}

int timerfd_settime(int timer, int flags, const struct itimerspec *time, struct itimerspec *old) {
  static int (*real)(int, int, const struct itimerspec *, struct itimerspec *);
  if (!real) real = dlsym(RTLD_NEXT, "timerfd_settime");
  struct itimerspec other = *time;
  if (nanoseconds(&time->it_value) != 0) {
    int64_t left = nanoseconds(&time->it_value);
    double rate;
    if (flags & TFD_TIMER_ABSTIME) left -= real_now(timer < 1024 ? timer_clocks[timer] : CLOCK_MONOTONIC) + ahead(&rate);
    left = shorter(left);
    /* Zero would disarm it. */
    other.it_value = spec(left > 1 ? left : 1);
  }
  other.it_interval = spec(shorter(nanoseconds(&time->it_interval)));
  return real(timer, flags & ~TFD_TIMER_ABSTIME, &other, old);
}

int poll(struct pollfd *files, nfds_t count, int timeout) {
  static int (*real)(struct pollfd *, nfds_t, int);
  if (!real) real = dlsym(RTLD_NEXT, "poll");
  return real(files, count, timeout > 0 ? (int)(shorter((int64_t)timeout * 1000000) / 1000000) + 1 : timeout);
}

int nanosleep(const struct timespec *time, struct timespec *rest) {
  static int (*real)(const struct timespec *, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "nanosleep");
  struct timespec other = spec(shorter(nanoseconds(time)));
  return real(&other, rest);
}

int usleep(useconds_t microseconds) {
  struct timespec time = spec((int64_t)microseconds * 1000);
  return nanosleep(&time, NULL);
}

int sem_timedwait(sem_t *semaphore, const struct timespec *time) {
  static int (*real)(sem_t *, const struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "sem_timedwait");
  struct timespec other = real_moment(CLOCK_REALTIME, time);
  return real(semaphore, &other);
}

int pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex, clockid_t id, const struct timespec *time) {
  static int (*real)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
  struct timespec other = real_moment(id, time);
  return real(condition, mutex, id, &other);
}
