#define _GNU_SOURCE
#include "load.h"

#include <amqp_tcp_socket.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { FRAME_MAX = 131072 };

void fail(const char *what)
{
  fprintf(stderr, "broker-load: %s\n", what);
  exit(1);
}

void check(struct peer *peer, const char *what)
{
  amqp_rpc_reply_t reply = amqp_get_rpc_reply(peer->connection);
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) fprintf(stderr, "%s: ", amqp_error_string2(reply.library_error));
  fail(what);
}

void open_peer(struct peer *peer, const struct plan *plan)
{
  peer->connection = amqp_new_connection();
  amqp_socket_t *socket = amqp_tcp_socket_new(peer->connection);
  if (socket == NULL || amqp_socket_open(socket, "127.0.0.1", plan->port) != AMQP_STATUS_OK) fail("connect");
  amqp_rpc_reply_t reply =
      amqp_login(peer->connection, "/", 0, FRAME_MAX, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest");
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) fail("login");
  amqp_channel_open(peer->connection, 1);
  check(peer, "channel.open");
  peer->fd = amqp_get_sockfd(peer->connection);
  peer->size = plan->size;
  peer->body = malloc(plan->size);
  if (peer->body == NULL || plan->size < 16) fail("bodies hold two numbers of 8 bytes");
  memset(peer->body, 'x', plan->size);
}

void close_peer(struct peer *peer)
{
  amqp_connection_close(peer->connection, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(peer->connection);
  free(peer->body);
}

unsigned long declare(struct peer *peer, const char *queue)
{
  /* durable: the newest RabbitMQ has no transient queues that others may use */
  amqp_queue_declare_ok_t *ok =
      amqp_queue_declare(peer->connection, 1, amqp_cstring_bytes(queue), 0, 1, 0, 0, amqp_empty_table);
  check(peer, "queue.declare");
  unsigned long count = ok->message_count;
  amqp_maybe_release_buffers(peer->connection);
  return count;
}

void purge(struct peer *peer, const char *queue)
{
  amqp_queue_purge(peer->connection, 1, amqp_cstring_bytes(queue));
  check(peer, "queue.purge");
}

void cork(struct peer *peer, int on)
{
  setsockopt(peer->fd, IPPROTO_TCP, TCP_CORK, &on, sizeof on);
}

void publish(struct peer *peer, const char *exchange, const char *key, uint64_t seq, double due)
{
  amqp_basic_properties_t properties;
  amqp_bytes_t body = {peer->size, peer->body};
  memcpy(peer->body, &seq, 8);
  memcpy(peer->body + 8, &due, 8);
  properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties.delivery_mode = AMQP_DELIVERY_NONPERSISTENT;
  if (amqp_basic_publish(peer->connection, 1, amqp_cstring_bytes(exchange), amqp_cstring_bytes(key), 0, 0,
                         &properties, body) != AMQP_STATUS_OK)
    fail("basic.publish");
}

uint64_t sequence_of(amqp_bytes_t body)
{
  uint64_t seq;
  memcpy(&seq, body.bytes, 8);
  return seq;
}

double due_of(amqp_bytes_t body)
{
  double due;
  memcpy(&due, (const uint8_t *)body.bytes + 8, 8);
  return due;
}

void consume(struct peer *peer, const char *queue, unsigned long prefetch, int no_ack)
{
  amqp_basic_qos(peer->connection, 1, 0, (uint16_t)prefetch, 0);
  check(peer, "basic.qos");
  amqp_basic_consume(peer->connection, 1, amqp_cstring_bytes(queue), amqp_empty_bytes, 0, no_ack, 0, amqp_empty_table);
  check(peer, "basic.consume");
}
