/* One load on a broker, made with librabbitmq. */
#ifndef LOAD_H
#define LOAD_H

#include <amqp.h>
#include <stdint.h>

/* What the command line asks for. */
struct plan {
  const char *task;
  int port;
  /* Whose CPU time and memory are read. */
  int broker_pid;
  unsigned long count, warm_up, size;
  /* Messages without a confirm, unsettled, or calls without a reply. */
  unsigned long window;
  unsigned long queues;
  /* Of the topic exchange; 0: messages go through the default exchange. */
  unsigned long bindings;
  /* Messages a second; 0: as many as can be. */
  unsigned long rate;
};

/* What the timed section took. */
struct result {
  double seconds, cpu_seconds, broker_cpu_seconds;
  /* Of a backlog: until it is gone again, and what the broker's process holds while it is there. */
  double drain_seconds;
  long memory_bytes;
  /* Milliseconds by message or call, where they are measured; sorted when they are reported. */
  double *took_ms;
};

/* Clocks, all in seconds. */
double wall_seconds(void);
void sleep_until(double wall);
void begin_result(struct result *result, const struct plan *plan);
void end_result(struct result *result, const struct plan *plan);
long resident_bytes(int pid);

/* A connection with channel 1 open. Whatever goes wrong with one ends the process. */
struct peer {
  amqp_connection_state_t connection;
  int fd;
  uint8_t *body;
  unsigned long size;
};

void fail(const char *what);
void open_peer(struct peer *peer, const struct plan *plan);
void close_peer(struct peer *peer);
/* Declares a transient queue that stays. Gives the messages in it. */
unsigned long declare(struct peer *peer, const char *queue);
void purge(struct peer *peer, const char *queue);
void check(struct peer *peer, const char *what);
/* While corked, what is written waits until a segment is full. */
void cork(struct peer *peer, int on);
/* A transient message; its body begins with the two numbers. */
void publish(struct peer *peer, const char *exchange, const char *key, uint64_t seq, double due);
uint64_t sequence_of(amqp_bytes_t body);
double due_of(amqp_bytes_t body);
void consume(struct peer *peer, const char *queue, unsigned long prefetch, int no_ack);

/* The tasks. Each warms up first. */
void run_publish(const struct plan *plan, struct result *result);
void run_confirm(const struct plan *plan, struct result *result);
void run_flow(const struct plan *plan, struct result *result);
void run_calls(const struct plan *plan, struct result *result);
void run_backlog(const struct plan *plan, struct result *result);
/* Takes what a queue holds: `count` messages, the first of them with this number. */
void drain(struct peer *peer, const struct plan *plan, const char *queue, unsigned long count, uint64_t first);

#endif
