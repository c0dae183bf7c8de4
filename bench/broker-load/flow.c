/* From a publisher to a consumer that settles: through one queue or many, by name or by topic, at full or set speed. */
#define _GNU_SOURCE
#include "load.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
  BATCH = 50,
  /* How far the publisher may be ahead: the queue stays short, and nobody waits for it to fill. */
  AHEAD = 4000,
  /* Keys of the topic exchange come again after so many messages at the soonest, so that remembered routes are no use. */
  LAST_WORDS = 16384,
  KEY_SIZE = 64
};

struct flow {
  const struct plan *plan;
  char exchange[KEY_SIZE];
  struct peer publisher, consumer;
  /* What is to be sent in this part, and what of it was settled. */
  unsigned long count, settled;
  pthread_mutex_t mutex;
  pthread_cond_t progress;
  double *took_ms;
};

static void key_of(const struct flow *flow, uint64_t seq, char key[KEY_SIZE])
{
  const struct plan *plan = flow->plan;
  if (plan->bindings > 0)
    snprintf(key, KEY_SIZE, "site.%lu.%lu", (unsigned long)(seq % plan->bindings), (unsigned long)(seq % LAST_WORDS));
  else
    snprintf(key, KEY_SIZE, "bench.flow.%lu", (unsigned long)(seq % plan->queues));
}

static void wait_for_room(struct flow *flow, uint64_t seq)
{
  pthread_mutex_lock(&flow->mutex);
  while (seq - flow->settled >= AHEAD) pthread_cond_wait(&flow->progress, &flow->mutex);
  pthread_mutex_unlock(&flow->mutex);
}

static void publish_at_full_speed(struct flow *flow)
{
  char key[KEY_SIZE];
  for (uint64_t seq = 0; seq < flow->count;) {
    if (seq >= AHEAD) wait_for_room(flow, seq);
    cork(&flow->publisher, 1);
    for (int i = 0; i < BATCH && seq < flow->count; i++, seq++) {
      key_of(flow, seq, key);
      publish(&flow->publisher, flow->exchange, key, seq, 0);
    }
    cork(&flow->publisher, 0);
  }
}

/* Each message by itself when it is due: one that is late counts from when it should have left. */
static void publish_at_rate(struct flow *flow)
{
  char key[KEY_SIZE];
  double start = wall_seconds() + 0.01;
  for (uint64_t seq = 0; seq < flow->count; seq++) {
    double due = start + (double)seq / (double)flow->plan->rate;
    if (due > wall_seconds()) sleep_until(due);
    key_of(flow, seq, key);
    publish(&flow->publisher, flow->exchange, key, seq, due);
  }
}

static void *publisher_thread(void *of)
{
  struct flow *flow = of;
  if (flow->plan->rate == 0) publish_at_full_speed(flow);
  else publish_at_rate(flow);
  return NULL;
}

static void settle(struct peer *peer, uint64_t tag)
{
  if (amqp_basic_ack(peer->connection, 1, tag, 1) != AMQP_STATUS_OK) fail("basic.ack");
  amqp_maybe_release_buffers(peer->connection);
}

static void receive(struct peer *peer, const struct plan *plan, amqp_envelope_t *envelope)
{
  amqp_rpc_reply_t reply = amqp_consume_message(peer->connection, envelope, NULL, 0);
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) fail("no delivery");
  if (envelope->message.body.len != plan->size) fail("a delivery has another size than it was published with");
}

void drain(struct peer *peer, const struct plan *plan, const char *queue, unsigned long count, uint64_t first)
{
  unsigned long batch = plan->window / 4, unsettled = 0;
  for (uint64_t seq = first; seq < first + count; seq++) {
    amqp_envelope_t envelope;
    receive(peer, plan, &envelope);
    if (sequence_of(envelope.message.body) != seq) fail("a delivery is out of order");
    if (++unsettled == batch || seq + 1 == first + count) {
      settle(peer, envelope.delivery_tag);
      unsettled = 0;
    }
    amqp_destroy_envelope(&envelope);
  }
  if (declare(peer, queue) != 0) fail("the queue holds more than was published");
}

static void receive_all(struct flow *flow)
{
  const struct plan *plan = flow->plan;
  unsigned long batch = plan->window / 4, unsettled = 0;
  /* By queue: what comes next. Through a topic exchange there is one queue. */
  unsigned long queues = plan->queues;
  uint64_t next[queues];
  for (unsigned long q = 0; q < queues; q++) next[q] = q;
  for (unsigned long received = 1; received <= flow->count; received++) {
    amqp_envelope_t envelope;
    receive(&flow->consumer, plan, &envelope);
    uint64_t seq = sequence_of(envelope.message.body);
    if (seq != next[seq % queues]) fail("a delivery is out of order");
    next[seq % queues] += queues;
    if (flow->took_ms != NULL) flow->took_ms[seq] = (wall_seconds() - due_of(envelope.message.body)) * 1000;
    if (++unsettled == batch || received == flow->count) {
      settle(&flow->consumer, envelope.delivery_tag);
      unsettled = 0;
      pthread_mutex_lock(&flow->mutex);
      flow->settled = received;
      pthread_cond_signal(&flow->progress);
      pthread_mutex_unlock(&flow->mutex);
    }
    amqp_destroy_envelope(&envelope);
  }
}

static void queue_name(const struct plan *plan, unsigned long number, char name[KEY_SIZE])
{
  if (plan->bindings > 0) snprintf(name, KEY_SIZE, "bench.topic.%lu", plan->bindings);
  else snprintf(name, KEY_SIZE, "bench.flow.%lu", number);
}

/* Sends and takes `count` messages. */
static void pass(struct flow *flow, unsigned long count)
{
  pthread_t publisher;
  char name[KEY_SIZE];
  flow->count = count;
  flow->settled = 0;
  if (pthread_create(&publisher, NULL, publisher_thread, flow) != 0) fail("no thread");
  receive_all(flow);
  pthread_join(publisher, NULL);
  queue_name(flow->plan, 0, name);
  /* Answered behind the last ack. */
  if (declare(&flow->consumer, name) != 0) fail("a queue holds more than was published");
}

static void bind_topics(struct flow *flow)
{
  char queue[KEY_SIZE], pattern[KEY_SIZE];
  struct peer *peer = &flow->publisher;
  queue_name(flow->plan, 0, queue);
  amqp_exchange_declare(peer->connection, 1, amqp_cstring_bytes(flow->exchange), amqp_cstring_bytes("topic"), 0, 0, 0,
                        0, amqp_empty_table);
  check(peer, "exchange.declare");
  for (unsigned long i = 0; i < flow->plan->bindings; i++) {
    snprintf(pattern, KEY_SIZE, "site.%lu.*", i);
    amqp_queue_bind(peer->connection, 1, amqp_cstring_bytes(queue), amqp_cstring_bytes(flow->exchange),
                    amqp_cstring_bytes(pattern), amqp_empty_table);
    check(peer, "queue.bind");
    amqp_maybe_release_buffers(peer->connection);
  }
}

void run_flow(const struct plan *plan, struct result *result)
{
  struct flow flow = {.plan = plan, .mutex = PTHREAD_MUTEX_INITIALIZER, .progress = PTHREAD_COND_INITIALIZER};
  char name[KEY_SIZE];
  open_peer(&flow.publisher, plan);
  open_peer(&flow.consumer, plan);
  for (unsigned long q = 0; q < plan->queues; q++) {
    queue_name(plan, q, name);
    declare(&flow.consumer, name);
    purge(&flow.consumer, name);
  }
  if (plan->bindings > 0) {
    snprintf(flow.exchange, KEY_SIZE, "bench.topics.%lu", plan->bindings);
    bind_topics(&flow);
  }
  for (unsigned long q = 0; q < plan->queues; q++) {
    queue_name(plan, q, name);
    consume(&flow.consumer, name, plan->window, 0);
  }
  pass(&flow, plan->warm_up);
  if (plan->rate > 0) {
    flow.took_ms = result->took_ms = malloc(plan->count * sizeof *result->took_ms);
    if (flow.took_ms == NULL) fail("no memory");
  }
  begin_result(result, plan);
  pass(&flow, plan->count);
  end_result(result, plan);
  close_peer(&flow.consumer);
  close_peer(&flow.publisher);
}
