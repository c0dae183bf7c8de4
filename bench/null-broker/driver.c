/*
 * The fastest client that can be: frames made beforehand, one write for a batch, one acknowledgement for
 * everything that a read brought. It shows what the null broker itself can do, and nothing else.
 */
#define _POSIX_C_SOURCE 200809L
#include "driver.h"
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN_SIZE = 1 << 20, BATCH = 64 };

struct peer {
  int fd;
  size_t used;
  uint8_t in[IN_SIZE];
};

static struct peer peer;

static void fail(const char *what)
{
  fprintf(stderr, "null-broker driver: %s: %s\n", what, errno == 0 ? "unexpected answer" : strerror(errno));
  exit(1);
}

static double wall_seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void connect_to(int port)
{
  struct sockaddr_in address = {0};
  int on = 1;
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  peer.fd = socket(AF_INET, SOCK_STREAM, 0);
  if (peer.fd < 0 || connect(peer.fd, (struct sockaddr *)&address, sizeof address) < 0) fail("connect");
  setsockopt(peer.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static void send_all(const void *from, size_t size)
{
  const uint8_t *p = from;
  while (size > 0) {
    ssize_t n = write(peer.fd, p, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("write");
    p += n;
    size -= (size_t)n;
  }
}

static void receive(void)
{
  ssize_t n;
  do n = read(peer.fd, peer.in + peer.used, sizeof peer.in - peer.used);
  while (n < 0 && errno == EINTR);
  if (n < 0) fail("read");
  if (n == 0) errno = 0, fail("the broker closed the connection");
  peer.used += (size_t)n;
}

/* Takes `taken` bytes off the front of the input. */
static void consume_input(size_t taken)
{
  if (taken == 0) return;
  memmove(peer.in, peer.in + taken, peer.used - taken);
  peer.used -= taken;
}

static long next_frame(size_t offset)
{
  long size = frame_size(peer.in + offset, peer.used - offset);
  if (size < 0) errno = 0, fail("broken frame");
  return size;
}

/* Waits for one method and drops it. */
static void expect(uint32_t method)
{
  long size;
  while ((size = next_frame(0)) == 0) receive();
  if (peer.in[0] != FRAME_METHOD || read_u32(peer.in + FRAME_PREFIX) != method) errno = 0, fail("handshake");
  consume_input((size_t)size);
}

static void call(struct writer *w, uint8_t *start, uint32_t answer)
{
  end_frame(w);
  send_all(start, (size_t)(w->at - start));
  w->at = start;
  if (answer != 0) expect(answer);
}

static void open_channel(void)
{
  uint8_t buffer[512];
  struct writer w = {buffer, NULL};
  send_all("AMQP\0\0\11\1", 8);
  expect(METHOD(10, 10));
  begin_method(&w, 0, METHOD(10, 11));
  put_u32(&w, 0);
  put_short_string(&w, "PLAIN");
  put_u32(&w, 12);
  put_bytes(&w, "\0guest\0guest", 12);
  put_short_string(&w, "en_US");
  call(&w, buffer, METHOD(10, 30));
  begin_method(&w, 0, METHOD(10, 31));
  put_u16(&w, 0);
  put_u32(&w, FRAME_MAX);
  put_u16(&w, 0);
  call(&w, buffer, 0);
  begin_method(&w, 0, METHOD(10, 40));
  put_short_string(&w, "/");
  put_u16(&w, 0);
  call(&w, buffer, METHOD(10, 41));
  begin_method(&w, 1, METHOD(20, 10));
  put_u8(&w, 0);
  call(&w, buffer, METHOD(20, 11));
}

/* Lays BATCH publishes out in memory of their own; gives them, and the size of one. */
static uint8_t *lay_out(const struct drive *plan, const char *queue, size_t *each)
{
  size_t frames = plan->size / (FRAME_MAX - FRAME_OVERHEAD) + 4;
  uint8_t *batch = malloc(BATCH * (plan->size + frames * FRAME_OVERHEAD + 64));
  if (batch == NULL) fail("malloc");
  struct writer w = {batch, NULL};
  for (int i = 0; i < BATCH; i++) {
    begin_method(&w, 1, METHOD(60, 40));
    put_u16(&w, 0);
    put_short_string(&w, "");
    put_short_string(&w, queue);
    put_u8(&w, 0);
    end_frame(&w);
    put_content(&w, 1, (uint32_t)plan->size, FRAME_MAX);
  }
  *each = (size_t)(w.at - batch) / BATCH;
  return batch;
}

/* How many publishes are answered once this frame has been read as well. */
typedef uint64_t answered(const uint8_t *frame, uint64_t before);

/* Publishes with at most `window` unanswered. */
static void publish_until(const struct drive *plan, const char *queue, answered *answered_by)
{
  size_t each;
  uint8_t *batch = lay_out(plan, queue, &each);
  uint64_t sent = 0, done = 0;
  while (done < plan->count) {
    while (sent < plan->count && sent - done < plan->window) {
      uint64_t n = plan->window - (sent - done);
      if (n > plan->count - sent) n = plan->count - sent;
      if (n > BATCH) n = BATCH;
      send_all(batch, n * each);
      sent += n;
    }
    receive();
    size_t offset = 0;
    for (long size; (size = next_frame(offset)) > 0; offset += (size_t)size)
      done = answered_by(peer.in + offset, done);
    consume_input(offset);
  }
  free(batch);
}

static uint64_t confirmed_by(const uint8_t *frame, uint64_t before)
{
  const uint8_t *payload = frame + FRAME_PREFIX;
  if (read_u32(payload) != METHOD(60, 80)) errno = 0, fail("publish");
  return payload[12] ? read_u64(payload + 4) : before + 1;
}

static void publish(const struct drive *plan)
{
  uint8_t start[64];
  struct writer w = {start, NULL};
  begin_method(&w, 1, METHOD(85, 10));
  put_u8(&w, 0);
  call(&w, start, METHOD(85, 11));
  publish_until(plan, "sink", confirmed_by);
}

/* A delivery is whole with its last body frame; here every body fits one. */
static uint64_t replied_by(const uint8_t *frame, uint64_t before)
{
  return frame[0] == FRAME_BODY ? before + 1 : before;
}

static void ask(const struct drive *plan)
{
  uint8_t start[64];
  struct writer w = {start, NULL};
  begin_method(&w, 1, METHOD(60, 20));
  put_u16(&w, 0);
  put_short_string(&w, "amq.rabbitmq.reply-to");
  put_short_string(&w, "driver");
  put_u8(&w, 2); /* no-ack */
  put_u32(&w, 0);
  call(&w, start, METHOD(60, 21));
  publish_until(plan, "echo", replied_by);
}

static void consume(const struct drive *plan)
{
  uint8_t start[512];
  char queue[64];
  struct writer w = {start, NULL};
  snprintf(queue, sizeof queue, "emit.%lu.%lu", plan->count, plan->size);
  begin_method(&w, 1, METHOD(60, 10));
  put_u32(&w, 0);
  put_u16(&w, (uint16_t)plan->window);
  put_u8(&w, 0);
  call(&w, start, METHOD(60, 11));
  begin_method(&w, 1, METHOD(60, 20));
  put_u16(&w, 0);
  put_short_string(&w, queue);
  put_short_string(&w, "driver");
  put_u8(&w, 0);
  put_u32(&w, 0);
  call(&w, start, METHOD(60, 21));

  uint64_t tag = 0, acked = 0, whole = 0, left = 0;
  while (acked < plan->count) {
    size_t offset = 0;
    for (long size; (size = next_frame(offset)) > 0; offset += (size_t)size) {
      const uint8_t *frame = peer.in + offset;
      if (frame[0] == FRAME_METHOD) {
        if (read_u32(frame + FRAME_PREFIX) != METHOD(60, 60)) errno = 0, fail("consume");
        tag = read_u64(frame + FRAME_PREFIX + 4 + 1 + frame[FRAME_PREFIX + 4]);
      } else if (frame[0] == FRAME_HEADER) {
        left = read_u64(frame + FRAME_PREFIX + 4);
      } else {
        left -= read_u32(frame + 3);
      }
      if (frame[0] != FRAME_METHOD && left == 0) whole = tag;
    }
    consume_input(offset);
    if (whole > acked) {
      begin_method(&w, 1, METHOD(60, 80));
      put_u64(&w, whole);
      put_u8(&w, 1);
      call(&w, start, 0);
      acked = whole;
    }
    if (acked < plan->count) receive();
  }
  begin_method(&w, 1, METHOD(60, 30));
  put_short_string(&w, "driver");
  put_u8(&w, 0);
  call(&w, start, METHOD(60, 31));
}

int drive(const struct drive *plan)
{
  connect_to(plan->port);
  open_channel();
  double wall = wall_seconds(), cpu = cpu_seconds();
  if (strcmp(plan->task, "publish") == 0) publish(plan);
  else if (strcmp(plan->task, "call") == 0) ask(plan);
  else consume(plan);
  wall = wall_seconds() - wall;
  cpu = cpu_seconds() - cpu;
  printf("{\"messages\":%lu,\"seconds\":%.6f,\"cpuSeconds\":%.6f}\n", plan->count, wall, cpu);
  close(peer.fd);
  return 0;
}
