/*
 * A broker that does nothing, as fast as it can: it speaks enough of AMQP 0-9-1 for clients to connect,
 * swallows what they publish with one cumulative confirm for each read, and makes up deliveries. A client
 * measured against it is limited by itself.
 *
 *   null-broker [--while-stdin]                             listens on a free port of 127.0.0.1, prints `port N`
 *   null-broker --drive TASK PORT COUNT SIZE WINDOW         drives another one: `publish`, `consume` or `call`
 */
#define _POSIX_C_SOURCE 200809L
#include "connection.h"
#include "driver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 32, LISTENER = 0, STDIN = 1, FIRST_CLIENT = 2 };

static struct pollfd polled[FIRST_CLIENT + MAX_CONNECTIONS];
static struct connection *clients[FIRST_CLIENT + MAX_CONNECTIONS];

static int fail(const char *what)
{
  perror(what);
  return 1;
}

static int listen_on_loopback(void)
{
  struct sockaddr_in address = {0};
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, MAX_CONNECTIONS) < 0) return -1;
  if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) return -1;
  printf("port %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static void drop(int slot)
{
  close(clients[slot]->fd);
  forget_channels(clients[slot]);
  free(clients[slot]);
  clients[slot] = NULL;
  polled[slot].fd = -1;
}

static void welcome(int listener)
{
  int on = 1;
  int slot = FIRST_CLIENT;
  int fd = accept(listener, NULL, NULL);
  if (fd < 0) return;
  while (slot < FIRST_CLIENT + MAX_CONNECTIONS && clients[slot] != NULL) slot++;
  struct connection *c = slot < FIRST_CLIENT + MAX_CONNECTIONS ? calloc(1, sizeof *c) : NULL;
  if (c == NULL) {
    close(fd);
    return;
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  c->fd = fd;
  c->frame_max = FRAME_MAX;
  clients[slot] = c;
  polled[slot].fd = fd;
  polled[slot].events = POLLIN;
}

/* Reads what is there. Says whether the client is still with us. */
static int fill(struct connection *c)
{
  if (c->in_used == IN_SIZE) return 1;
  ssize_t n = read(c->fd, c->in + c->in_used, IN_SIZE - c->in_used);
  if (n > 0) c->in_used += (size_t)n;
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

/* Writes what the socket takes. Says whether the client is still with us. */
static int flush(struct connection *c)
{
  if (c->out_start < c->out_end) {
    ssize_t n = write(c->fd, c->out + c->out_start, c->out_end - c->out_start);
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    c->out_start += (size_t)n;
  }
  if (c->out_start == c->out_end) c->out_start = c->out_end = 0;
  return 1;
}

/* One turn of one client. Says whether it stays. */
static int turn(struct connection *c, struct pollfd *p)
{
  /* With much output pending nothing is read, so a client that does not read cannot make it grow. */
  if ((p->revents & (POLLIN | POLLHUP | POLLERR)) && room(c) > OUT_SIZE / 2 && !fill(c)) return 0;
  int again;
  do {
    again = serve(c);
    if (!flush(c)) return 0;
  } while (again && c->out_end == 0);
  int pending = c->out_end > c->out_start;
  if (c->leaving && !pending) return 0;
  p->events = (short)((pending ? POLLOUT : 0) | (room(c) > OUT_SIZE / 2 && !c->leaving ? POLLIN : 0));
  return 1;
}

static int run(int while_stdin)
{
  int listener = listen_on_loopback();
  if (listener < 0) return fail("null-broker: listen");
  signal(SIGPIPE, SIG_IGN);
  for (int i = 0; i < FIRST_CLIENT + MAX_CONNECTIONS; i++) polled[i].fd = -1;
  polled[LISTENER].fd = listener;
  polled[LISTENER].events = POLLIN;
  polled[STDIN].fd = while_stdin ? STDIN_FILENO : -1;
  polled[STDIN].events = POLLIN;
  for (;;) {
    if (poll(polled, FIRST_CLIENT + MAX_CONNECTIONS, -1) < 0) {
      if (errno == EINTR) continue;
      return fail("null-broker: poll");
    }
    if (polled[STDIN].revents != 0) return 0;
    for (int i = FIRST_CLIENT; i < FIRST_CLIENT + MAX_CONNECTIONS; i++)
      if (clients[i] != NULL && polled[i].revents != 0 && !turn(clients[i], &polled[i])) drop(i);
    if (polled[LISTENER].revents != 0) welcome(listener);
  }
}

int main(int argc, char **argv)
{
  if (argc == 7 && strcmp(argv[1], "--drive") == 0 &&
      (strcmp(argv[2], "publish") == 0 || strcmp(argv[2], "consume") == 0 || strcmp(argv[2], "call") == 0)) {
    struct drive plan = {argv[2], atoi(argv[3]), strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10),
                         strtoul(argv[6], NULL, 10)};
    if (plan.count > 0 && plan.window > 0 && plan.window <= 65535 && plan.size <= MAX_EMIT_SIZE)
      return drive(&plan);
  } else if (argc == 1 || (argc == 2 && strcmp(argv[1], "--while-stdin") == 0)) {
    return run(argc == 2);
  }
  fprintf(stderr, "usage: null-broker [--while-stdin]\n"
                  "       null-broker --drive publish|consume|call PORT COUNT SIZE WINDOW\n");
  return 2;
}
