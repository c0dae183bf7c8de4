#define _GNU_SOURCE
#include "load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

double wall_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void sleep_until(double wall)
{
  struct timespec t = {(time_t)wall, (long)((wall - (double)(time_t)wall) * 1e9)};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}

static double own_cpu_seconds(void)
{
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* User and system time of another process, in steps of 10 ms. */
static double cpu_seconds_of(int pid)
{
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) fail("the broker's process is not in /proc");
  text[fread(text, 1, sizeof text - 1, file)] = 0;
  fclose(file);
  unsigned long user, system;
  /* The second field is the program's name in parentheses and may hold spaces. */
  const char *rest = strrchr(text, ')');
  if (rest == NULL ||
      sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
    fail("/proc/PID/stat is not as it should be");
  return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

long resident_bytes(int pid)
{
  char path[64];
  long pages = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1) fail("/proc/PID/statm is not as it should be");
  fclose(file);
  return pages * sysconf(_SC_PAGESIZE);
}

void begin_result(struct result *result, const struct plan *plan)
{
  result->broker_cpu_seconds = -cpu_seconds_of(plan->broker_pid);
  result->cpu_seconds = -own_cpu_seconds();
  result->seconds = -wall_seconds();
}

void end_result(struct result *result, const struct plan *plan)
{
  result->seconds += wall_seconds();
  result->cpu_seconds += own_cpu_seconds();
  result->broker_cpu_seconds += cpu_seconds_of(plan->broker_pid);
}
