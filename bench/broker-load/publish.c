/* Publishing into a queue that nobody consumes: bare, confirmed, and a backlog that is taken out again. */
#define _GNU_SOURCE
#include "load.h"

#include <amqp_framing.h>

static const char QUEUE[] = "bench.publish";

/* Between two looks at what the broker says. */
enum { BATCH = 50 };

static const double LOOK_AGAIN_SECONDS = 0.002;

static void publish_bare(struct peer *peer, unsigned long count)
{
  for (unsigned long seq = 0; seq < count;) {
    cork(peer, 1);
    for (int i = 0; i < BATCH && seq < count; i++) publish(peer, "", QUEUE, seq++, 0);
    cork(peer, 0);
  }
  /* RabbitMQ's queue answers this before it takes what else waits for it. */
  while (declare(peer, QUEUE) < count) sleep_until(wall_seconds() + LOOK_AGAIN_SECONDS);
}

void run_publish(const struct plan *plan, struct result *result)
{
  struct peer peer;
  open_peer(&peer, plan);
  declare(&peer, QUEUE);
  purge(&peer, QUEUE);
  publish_bare(&peer, plan->warm_up);
  purge(&peer, QUEUE);
  begin_result(result, plan);
  publish_bare(&peer, plan->count);
  end_result(result, plan);
  purge(&peer, QUEUE);
  close_peer(&peer);
}

/* Publishes with at most `window` unconfirmed, topped up when half of them are. `before`: tags that were used. */
static void publish_confirmed(struct peer *peer, unsigned long count, unsigned long window, uint64_t before)
{
  uint64_t sent = 0, done = 0;
  while (done < count) {
    if (sent < count && sent - done <= window / 2) {
      while (sent < count && sent - done < window) {
        cork(peer, 1);
        for (int i = 0; i < BATCH && sent < count && sent - done < window; i++) publish(peer, "", QUEUE, sent++, 0);
        cork(peer, 0);
      }
    }
    amqp_frame_t frame;
    if (amqp_simple_wait_frame(peer->connection, &frame) != AMQP_STATUS_OK) fail("no confirm");
    if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
      fail("something else than a confirm");
    const amqp_basic_ack_t *ack = frame.payload.method.decoded;
    /* Single confirms may come out of order, and then a count of them is what there is. */
    if (ack->multiple && ack->delivery_tag - before > done) done = ack->delivery_tag - before;
    else if (!ack->multiple) done++;
    amqp_maybe_release_buffers(peer->connection);
  }
}

static void open_confirming(struct peer *peer, const struct plan *plan)
{
  open_peer(peer, plan);
  declare(peer, QUEUE);
  purge(peer, QUEUE);
  amqp_confirm_select(peer->connection, 1);
  check(peer, "confirm.select");
}

void run_confirm(const struct plan *plan, struct result *result)
{
  struct peer peer;
  open_confirming(&peer, plan);
  publish_confirmed(&peer, plan->warm_up, plan->window, 0);
  purge(&peer, QUEUE);
  begin_result(result, plan);
  publish_confirmed(&peer, plan->count, plan->window, plan->warm_up);
  end_result(result, plan);
  if (declare(&peer, QUEUE) != plan->count) fail("the queue does not hold what was confirmed");
  purge(&peer, QUEUE);
  close_peer(&peer);
}

void run_backlog(const struct plan *plan, struct result *result)
{
  struct peer publisher, consumer;
  open_confirming(&publisher, plan);
  begin_result(result, plan);
  publish_confirmed(&publisher, plan->count, plan->window, 0);
  end_result(result, plan);
  if (declare(&publisher, QUEUE) != plan->count) fail("the queue does not hold what was confirmed");
  result->memory_bytes = resident_bytes(plan->broker_pid);
  open_peer(&consumer, plan);
  double start = wall_seconds();
  consume(&consumer, QUEUE, plan->window, 0);
  drain(&consumer, plan, QUEUE, plan->count, 0);
  result->drain_seconds = wall_seconds() - start;
  close_peer(&consumer);
  close_peer(&publisher);
}
