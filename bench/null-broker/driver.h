#ifndef DRIVER_H
#define DRIVER_H

/* What the driver does to a null broker that listens on `port`. */
struct drive {
  const char *task;      /* "publish", "consume" or "call" */
  int port;
  unsigned long count;   /* messages */
  unsigned long size;    /* bytes of a body */
  unsigned long window;  /* unanswered publishes, or prefetch */
};

/* Drives and prints `{"messages":N,"seconds":S,"cpuSeconds":C}`. Gives the exit code. */
int drive(const struct drive *plan);

#endif
