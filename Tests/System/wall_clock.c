/* Clocks that can be set for one process: LD_PRELOAD this, and write two numbers of seconds into the file that CLOCKS names: how far
   the wall clock is ahead, and how long the machine has been suspended. Time since the boot includes suspended time; monotonic time,
   and so every timer, does not. With CLOCKS_AS_ONE, time since the boot follows the wall clock: what a program would see that waits by it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static void offsets(long *wall, long *suspended) {
  const char *path = getenv("CLOCKS");
  FILE *file = path ? fopen(path, "re") : NULL;
  *wall = *suspended = 0;
  if (!file) return;
  if (fscanf(file, "%ld %ld", wall, suspended) != 2) *wall = *suspended = 0;
  fclose(file);
}

int clock_gettime(clockid_t id, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, time);
  if (result != 0 || (id != CLOCK_REALTIME && id != CLOCK_BOOTTIME)) return result;
  long wall, suspended;
  offsets(&wall, &suspended);
  time->tv_sec += id == CLOCK_REALTIME || getenv("CLOCKS_AS_ONE") ? wall : suspended;
  return result;
}

int gettimeofday(struct timeval *time, void *zone) {
  struct timespec now;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &now)) return -1;
  time->tv_sec = now.tv_sec;
  time->tv_usec = now.tv_nsec / 1000;
  return 0;
}

/* Waits until a moment of the wall clock: the kernel has the real one. A condition may use monotonic time, which is small. */
static struct timespec kernels(const struct timespec *until) {
  struct timespec real = *until;
  long wall, suspended;
  offsets(&wall, &suspended);
  if (real.tv_sec > 500000000) real.tv_sec -= wall;
  return real;
}

int sem_timedwait(sem_t *semaphore, const struct timespec *until) {
  static int (*real)(sem_t *, const struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "sem_timedwait");
  struct timespec end = kernels(until);
  return real(semaphore, &end);
}

int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
  static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  if (!real) real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  struct timespec end = kernels(until);
  return real(condition, mutex, &end);
}
