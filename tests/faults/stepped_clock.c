// Adds the seconds in the file that STEPPED_CLOCK names to the system's clock. It is loaded into a program with LD_PRELOAD.
//
// libfaketime (0.9.10) does not work with Envoy: it also replaces poll, which Envoy's allocator calls when it starts. libfaketime
// looks up the real poll with dlsym, dlsym allocates memory, and the allocator waits for itself.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t nothing;
static const volatile int64_t *step = &nothing;

__attribute__((constructor)) static void find_step(void) {
  const char *name = getenv("STEPPED_CLOCK");
  int file = name ? open(name, O_RDONLY) : -1;
  void *page = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *step, PROT_READ, MAP_SHARED, file, 0);
  // The test would otherwise pass with a clock that never steps.
  if (page == MAP_FAILED) abort();
  step = page;
  close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
  int result = (int)syscall(SYS_clock_gettime, clock, now);
  // Only the clocks that a person can set. The monotonic clock has no steps.
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += *step;
  return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  int result = (int)syscall(SYS_gettimeofday, now, zone);
  if (result == 0) now->tv_sec += *step;
  return result;
}

time_t time(time_t *into) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (into) *into = now.tv_sec;
  return now.tv_sec;
}
