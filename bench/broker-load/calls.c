/* Calls by direct reply-to, answered by an echo in a thread of its own. */
#define _GNU_SOURCE
#include "load.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char REQUESTS[] = "bench.requests";
static const char REPLIES[] = "amq.rabbitmq.reply-to";

struct echo {
  const struct plan *plan;
  struct peer peer;
};

static void take(struct peer *peer, const struct plan *plan, amqp_envelope_t *envelope)
{
  amqp_rpc_reply_t reply = amqp_consume_message(peer->connection, envelope, NULL, 0);
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) fail("no delivery");
  if (envelope->message.body.len != plan->size) fail("a delivery has another size than it was published with");
}

static void *echo_thread(void *of)
{
  struct echo *echo = of;
  for (unsigned long left = echo->plan->warm_up + echo->plan->count; left > 0; left--) {
    amqp_envelope_t request;
    take(&echo->peer, echo->plan, &request);
    if (amqp_basic_publish(echo->peer.connection, 1, amqp_empty_bytes, request.message.properties.reply_to, 0, 0, NULL,
                           request.message.body) != AMQP_STATUS_OK)
      fail("basic.publish of a reply");
    amqp_destroy_envelope(&request);
    amqp_maybe_release_buffers(echo->peer.connection);
  }
  return NULL;
}

static void ask(struct peer *peer, uint64_t seq)
{
  amqp_basic_properties_t properties;
  amqp_bytes_t body = {peer->size, peer->body};
  double now = wall_seconds();
  memcpy(peer->body, &seq, 8);
  memcpy(peer->body + 8, &now, 8);
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_REPLY_TO_FLAG;
  properties.delivery_mode = AMQP_DELIVERY_NONPERSISTENT;
  properties.reply_to = amqp_cstring_bytes(REPLIES);
  if (amqp_basic_publish(peer->connection, 1, amqp_empty_bytes, amqp_cstring_bytes(REQUESTS), 0, 0, &properties, body) !=
      AMQP_STATUS_OK)
    fail("basic.publish of a request");
}

/* Every request goes through one queue to one echo, so that the replies come in their order. */
static void call(struct peer *peer, const struct plan *plan, unsigned long count, double *took_ms)
{
  uint64_t sent = 0;
  for (uint64_t seq = 0; seq < count; seq++) {
    while (sent < count && sent - seq < plan->window) ask(peer, sent++);
    amqp_envelope_t reply;
    take(peer, plan, &reply);
    if (sequence_of(reply.message.body) != seq) fail("a reply is out of order");
    if (took_ms != NULL) took_ms[seq] = (wall_seconds() - due_of(reply.message.body)) * 1000;
    amqp_destroy_envelope(&reply);
    amqp_maybe_release_buffers(peer->connection);
  }
}

void run_calls(const struct plan *plan, struct result *result)
{
  struct echo echo = {.plan = plan};
  struct peer peer;
  pthread_t thread;
  open_peer(&echo.peer, plan);
  open_peer(&peer, plan);
  declare(&echo.peer, REQUESTS);
  purge(&echo.peer, REQUESTS);
  consume(&echo.peer, REQUESTS, 0, 1);
  consume(&peer, REPLIES, 0, 1);
  if (pthread_create(&thread, NULL, echo_thread, &echo) != 0) fail("no thread");
  call(&peer, plan, plan->warm_up, NULL);
  result->took_ms = malloc(plan->count * sizeof *result->took_ms);
  if (result->took_ms == NULL) fail("no memory");
  begin_result(result, plan);
  call(&peer, plan, plan->count, result->took_ms);
  end_result(result, plan);
  pthread_join(thread, NULL);
  close_peer(&peer);
  close_peer(&echo.peer);
}
