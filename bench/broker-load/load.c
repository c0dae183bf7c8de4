/*
 * Puts one load on a broker of this machine and prints what it took, as JSON. Every message is numbered, and what comes
 * back is held to the order, the size and the number of what was sent; anything else ends the program with 1.
 */
#define _GNU_SOURCE
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

typedef void run(const struct plan *plan, struct result *result);

static const struct {
  const char *name;
  run *run;
} TASKS[] = {
    {"publish", run_publish}, {"confirm", run_confirm}, {"flow", run_flow},
    {"calls", run_calls},     {"backlog", run_backlog},
};

static struct plan read_plan(int argc, char **argv)
{
  struct plan plan = {.task = argc > 1 ? argv[1] : "", .queues = 1};
  for (int i = 2; i + 1 < argc; i += 2) {
    unsigned long value = strtoul(argv[i + 1], NULL, 10);
    if (strcmp(argv[i], "--port") == 0) plan.port = (int)value;
    else if (strcmp(argv[i], "--broker-pid") == 0) plan.broker_pid = (int)value;
    else if (strcmp(argv[i], "--count") == 0) plan.count = value;
    else if (strcmp(argv[i], "--warm-up") == 0) plan.warm_up = value;
    else if (strcmp(argv[i], "--size") == 0) plan.size = value;
    else if (strcmp(argv[i], "--window") == 0) plan.window = value;
    else if (strcmp(argv[i], "--queues") == 0) plan.queues = value;
    else if (strcmp(argv[i], "--bindings") == 0) plan.bindings = value;
    else if (strcmp(argv[i], "--rate") == 0) plan.rate = value;
    else fail("an option that there is not");
  }
  return plan;
}

static int compare(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print(const struct plan *plan, const struct result *result)
{
  printf("{\"messages\":%lu,\"seconds\":%.6f,\"clientCpuSeconds\":%.6f,\"brokerCpuSeconds\":%.2f", plan->count,
         result->seconds, result->cpu_seconds, result->broker_cpu_seconds);
  if (result->took_ms != NULL) {
    qsort(result->took_ms, plan->count, sizeof *result->took_ms, compare);
    printf(",\"latencyMs\":{\"p50\":%.6f,\"p99\":%.6f}", result->took_ms[(plan->count + 1) / 2 - 1],
           result->took_ms[(plan->count * 99 + 99) / 100 - 1]);
  }
  if (result->memory_bytes > 0)
    printf(",\"memoryBytes\":%ld,\"drainSeconds\":%.6f", result->memory_bytes, result->drain_seconds);
  printf("}\n");
}

int main(int argc, char **argv)
{
  struct plan plan = read_plan(argc, argv);
  struct result result = {0};
  prctl(PR_SET_TIMERSLACK, 1000UL);
  for (size_t i = 0; i < sizeof TASKS / sizeof *TASKS; i++) {
    if (strcmp(TASKS[i].name, plan.task) != 0) continue;
    TASKS[i].run(&plan, &result);
    print(&plan, &result);
    return 0;
  }
  fail("a task that there is not");
}
