/*
 * What the null broker answers. Nothing is routed or stored: publishes are counted and confirmed, what is
 * published to `echo` comes back to the channel's own consumer, and the queue `emit.<count>.<size>` makes its
 * deliveries up while they are being written.
 */
#include "connection.h"
#include "deliveries.h"

#include <stdio.h>
#include <stdlib.h>

/* Of the whole process, read as the message count of the queue `count.published`. */
static uint64_t total_published;

static void put_table_string(struct writer *w, const char *key, const char *value)
{
  put_short_string(w, key);
  put_u8(w, 'S');
  put_long_string(w, value);
}

static uint8_t *begin_table(struct writer *w)
{
  w->at += 4;
  return w->at;
}

static void end_table(struct writer *w, uint8_t *start) { write_u32(start - 4, (uint32_t)(w->at - start)); }

static void put_start(struct writer *w)
{
  static const char *const capabilities[] = {"publisher_confirms", "basic.nack", "consumer_cancel_notify",
                                             "exchange_exchange_bindings", "authentication_failure_close"};
  begin_method(w, 0, METHOD(10, 10));
  put_u8(w, 0);
  put_u8(w, 9);
  uint8_t *properties = begin_table(w);
  put_table_string(w, "product", "null-broker");
  put_table_string(w, "version", "1.0.0");
  put_table_string(w, "platform", "C99");
  put_short_string(w, "capabilities");
  put_u8(w, 'F');
  uint8_t *table = begin_table(w);
  for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++) {
    put_short_string(w, capabilities[i]);
    put_u8(w, 't');
    put_u8(w, 1);
  }
  end_table(w, table);
  end_table(w, properties);
  put_long_string(w, "PLAIN AMQPLAIN");
  put_long_string(w, "en_US");
  end_frame(w);
}

static void put_close(struct writer *w, uint16_t id, uint32_t method, uint16_t code, const char *text,
                      uint32_t cause)
{
  begin_method(w, id, method);
  put_u16(w, code);
  put_short_string(w, text);
  put_u32(w, cause);
  end_frame(w);
}

static void put_empty(struct writer *w, uint16_t id, uint32_t method)
{
  begin_method(w, id, method);
  end_frame(w);
}

/* Refuses to go on with this client. */
static void close_connection(struct connection *c, struct writer *w, uint16_t code, const char *text,
                             uint32_t cause)
{
  put_close(w, 0, METHOD(10, 50), code, text, cause);
  c->leaving = 1;
}

static void close_channel(struct channel *ch, struct writer *w, uint16_t id, uint16_t code, const char *text,
                          uint32_t cause)
{
  put_close(w, id, METHOD(20, 40), code, text, cause);
  ch->closing = 1;
  ch->consuming = 0;
  ch->published = ch->confirmed;
}

static void free_channel(struct connection *c, uint16_t id)
{
  if (c->channels[id] != NULL) free(c->channels[id]->delivery);
  free(c->channels[id]);
  c->channels[id] = NULL;
}

void forget_channels(struct connection *c)
{
  for (uint16_t id = 0; id <= MAX_CHANNEL; id++) free_channel(c, id);
}

static void publish_is_whole(struct channel *ch)
{
  ch->publish_open = 0;
  ch->published++;
  total_published++;
}

static void start_consumer(struct connection *c, struct channel *ch, struct writer *w, uint16_t id,
                           struct cursor *arguments)
{
  static unsigned made;
  const uint32_t cause = METHOD(60, 20);
  char queue[256], tag[256];
  unsigned long long count = 0, size = 0;
  int end = 0;
  take_u16(arguments);
  take_short_string(arguments, queue);
  take_short_string(arguments, tag);
  uint8_t bits = take_u8(arguments);
  if (arguments->bad) return;
  if (ch->consuming) {
    close_channel(ch, w, id, 540, "NOT_IMPLEMENTED - one consumer a channel", cause);
    return;
  }
  if (sscanf(queue, "emit.%19llu.%9llu%n", &count, &size, &end) == 2 && queue[end] == '\0') {
    if (size > MAX_EMIT_SIZE) {
      close_channel(ch, w, id, 406, "PRECONDITION_FAILED - that body is too large to emit", cause);
      return;
    }
  } else {
    count = size = 0;
  }
  if (tag[0] == '\0') snprintf(tag, sizeof tag, "null-%u", ++made);
  memcpy(ch->consumer_tag, tag, sizeof tag);
  if (!prepare_delivery(c, ch, id, queue, (uint32_t)size)) {
    close_channel(ch, w, id, 506, "RESOURCE_ERROR - no memory for a delivery", cause);
    return;
  }
  ch->consuming = 1;
  ch->no_ack = (bits >> 1) & 1;
  ch->to_emit = count;
  if ((bits >> 3) & 1) return;
  begin_method(w, id, METHOD(60, 21));
  put_short_string(w, tag);
  end_frame(w);
}

static void confirm(struct connection *c)
{
  for (uint16_t id = 1; id <= MAX_CHANNEL; id++) {
    struct channel *ch = c->channels[id];
    if (ch == NULL || ch->confirmed == ch->published || room(c) < ANSWER_ROOM) continue;
    /* Nothing may come between the frames of a delivery. */
    if (ch->echoing && ch->publish_open) continue;
    ch->confirmed = ch->published;
    if (!ch->confirming) continue;
    struct writer w = {c->out + c->out_end, NULL};
    begin_method(&w, id, METHOD(60, 80));
    put_u64(&w, ch->confirmed);
    put_u8(&w, 1);
    end_frame(&w);
    c->out_end = (size_t)(w.at - c->out);
  }
}

static uint32_t message_count(const char *queue)
{
  if (strcmp(queue, "count.published") == 0) return (uint32_t)total_published;
  if (strcmp(queue, "count.settled") == 0) return (uint32_t)settled_in_all();
  return 0;
}

/* Methods of channel 0. */
static void on_connection_method(struct connection *c, struct writer *w, uint32_t method, struct cursor *a)
{
  switch (method) {
  case METHOD(10, 11): /* start-ok: any credentials will do */
    begin_method(w, 0, METHOD(10, 30));
    put_u16(w, MAX_CHANNEL);
    put_u32(w, FRAME_MAX);
    put_u16(w, 0);
    end_frame(w);
    break;
  case METHOD(10, 31): { /* tune-ok */
    take_u16(a);
    uint32_t frame_max = take_u32(a);
    if (frame_max == 0) frame_max = FRAME_MAX;
    if (frame_max < FRAME_MIN || frame_max > FRAME_MAX)
      close_connection(c, w, 530, "NOT_ALLOWED - frame-max is out of range", method);
    else c->frame_max = frame_max;
    break;
  }
  case METHOD(10, 40): /* open */
    begin_method(w, 0, METHOD(10, 41));
    put_u8(w, 0);
    end_frame(w);
    break;
  case METHOD(10, 50): /* close */
    put_empty(w, 0, METHOD(10, 51));
    c->leaving = 1;
    break;
  case METHOD(10, 51): /* close-ok */
    c->leaving = 1;
    break;
  default:
    close_connection(c, w, 540, "NOT_IMPLEMENTED - that method of the connection class", method);
  }
}

/* Settles what ack, nack or reject name. */
static void on_settlement(struct channel *ch, struct writer *w, uint16_t id, uint32_t method, struct cursor *a)
{
  uint64_t tag = take_u64(a);
  int multiple = method == METHOD(60, 90) ? 0 : take_u8(a) & 1;
  if (!a->bad && !settle(ch, tag, multiple))
    close_channel(ch, w, id, 406, "PRECONDITION_FAILED - unknown delivery tag", method);
}

/* Answers the methods that do no more than name an entity. `no_wait` is the bit that asks for silence. */
static void answer(struct writer *w, uint16_t id, uint32_t method, uint8_t bits, int no_wait)
{
  if (!((bits >> no_wait) & 1)) put_empty(w, id, method);
}

static void on_channel_method(struct connection *c, struct writer *w, uint16_t id, uint32_t method,
                              struct cursor *a)
{
  struct channel *ch = c->channels[id];
  char name[256];
  uint8_t bits;
  switch (method) {
  case METHOD(20, 20): /* channel.flow */
    bits = take_u8(a);
    begin_method(w, id, METHOD(20, 21));
    put_u8(w, bits);
    end_frame(w);
    break;
  case METHOD(20, 40): /* channel.close */
    free_channel(c, id);
    put_empty(w, id, METHOD(20, 41));
    break;
  case METHOD(40, 10): /* exchange.declare */
    take_u16(a);
    take_short_string(a, NULL);
    take_short_string(a, NULL);
    answer(w, id, METHOD(40, 11), take_u8(a), 4);
    break;
  case METHOD(40, 20): /* exchange.delete */
    take_u16(a);
    take_short_string(a, NULL);
    answer(w, id, METHOD(40, 21), take_u8(a), 1);
    break;
  case METHOD(40, 30): /* exchange.bind */
  case METHOD(40, 40): /* exchange.unbind */
  case METHOD(50, 20): /* queue.bind */
    take_u16(a);
    for (int i = 0; i < 3; i++) take_short_string(a, NULL);
    answer(w, id, method == METHOD(40, 40) ? METHOD(40, 51) : method + 1, take_u8(a), 0);
    break;
  case METHOD(50, 50): /* queue.unbind has no no-wait */
    put_empty(w, id, METHOD(50, 51));
    break;
  case METHOD(50, 10): /* queue.declare */
    take_u16(a);
    take_short_string(a, name);
    bits = take_u8(a);
    if ((bits >> 4) & 1) break;
    begin_method(w, id, METHOD(50, 11));
    put_short_string(w, name[0] == '\0' ? "null-queue" : name);
    put_u32(w, message_count(name));
    put_u32(w, 0);
    end_frame(w);
    break;
  case METHOD(50, 30): /* queue.purge */
  case METHOD(50, 40): /* queue.delete */
    take_u16(a);
    take_short_string(a, NULL);
    bits = take_u8(a);
    if ((bits >> (method == METHOD(50, 30) ? 0 : 2)) & 1) break;
    begin_method(w, id, method + 1);
    put_u32(w, 0);
    end_frame(w);
    break;
  case METHOD(60, 10): /* basic.qos, taken for the whole channel */
    take_u32(a);
    ch->prefetch = take_u16(a);
    put_empty(w, id, METHOD(60, 11));
    break;
  case METHOD(60, 20):
    start_consumer(c, ch, w, id, a);
    break;
  case METHOD(60, 30): /* basic.cancel */
    take_short_string(a, name);
    if (strcmp(name, ch->consumer_tag) == 0) ch->consuming = 0;
    if (take_u8(a) & 1) break;
    begin_method(w, id, METHOD(60, 31));
    put_short_string(w, name);
    end_frame(w);
    break;
  case METHOD(60, 40): /* basic.publish */
    take_u16(a);
    take_short_string(a, NULL);
    take_short_string(a, name);
    ch->echoing = ch->consuming && ch->no_ack && strcmp(name, "echo") == 0;
    if (ch->echoing) begin_echo(ch, w, id);
    ch->publish_open = 1;
    ch->header_seen = 0;
    break;
  case METHOD(60, 70): /* basic.get: nothing there */
    begin_method(w, id, METHOD(60, 72));
    put_u8(w, 0);
    end_frame(w);
    break;
  case METHOD(60, 80):
  case METHOD(60, 90):
  case METHOD(60, 120):
    on_settlement(ch, w, id, method, a);
    break;
  case METHOD(60, 110): /* basic.recover */
    put_empty(w, id, METHOD(60, 111));
    break;
  case METHOD(85, 10): /* confirm.select */
    ch->confirming = 1;
    ch->published = ch->confirmed = 0;
    answer(w, id, METHOD(85, 11), take_u8(a), 0);
    break;
  default:
    close_connection(c, w, 540, "NOT_IMPLEMENTED - the null broker has no such method", method);
  }
}

/* The parts of a publish that follow its method. Says whether they were what had to come. */
static int on_content(struct channel *ch, uint8_t type, const uint8_t *payload, uint32_t size)
{
  if (!ch->publish_open || (type == FRAME_HEADER) == ch->header_seen) return 0;
  if (type == FRAME_HEADER) {
    if (size < 14 || read_u16(payload) != 60) return 0;
    ch->header_seen = 1;
    ch->body_left = read_u64(payload + 4);
  } else {
    if (size > ch->body_left) return 0;
    ch->body_left -= size;
  }
  if (ch->body_left == 0) publish_is_whole(ch);
  return 1;
}

static void on_frame(struct connection *c, const uint8_t *frame, long frame_length)
{
  struct writer w = {c->out + c->out_end, NULL};
  uint8_t type = frame[0];
  uint16_t id = read_u16(frame + 1);
  uint32_t size = (uint32_t)frame_length - FRAME_OVERHEAD;
  struct cursor arguments = {frame + FRAME_PREFIX, frame + FRAME_PREFIX + size, 0};
  uint32_t method = type == FRAME_METHOD ? take_u32(&arguments) : 0;
  struct channel *ch = id <= MAX_CHANNEL ? c->channels[id] : NULL;

  if (type == FRAME_HEARTBEAT) return;
  if (type < FRAME_METHOD || type > FRAME_BODY) {
    close_connection(c, &w, 501, "FRAME_ERROR - unknown frame type", 0);
  } else if (id == 0) {
    if (type == FRAME_METHOD) on_connection_method(c, &w, method, &arguments);
    else close_connection(c, &w, 501, "FRAME_ERROR - content on channel 0", 0);
  } else if (ch == NULL && method == METHOD(20, 10) && id <= MAX_CHANNEL) {
    ch = c->channels[id] = calloc(1, sizeof *ch);
    if (ch == NULL) {
      close_connection(c, &w, 506, "RESOURCE_ERROR - no memory for a channel", method);
    } else {
      ch->next_tag = ch->lowest_unsettled = 1;
      begin_method(&w, id, METHOD(20, 11));
      put_u32(&w, 0);
      end_frame(&w);
    }
  } else if (ch == NULL) {
    close_connection(c, &w, 504, "CHANNEL_ERROR - no such channel", method);
  } else if (ch->closing) {
    if (method == METHOD(20, 41)) free_channel(c, id);
    else if (method == METHOD(20, 40)) put_empty(&w, id, METHOD(20, 41));
  } else if (type == FRAME_METHOD && !ch->publish_open) {
    on_channel_method(c, &w, id, method, &arguments);
  } else if (type == FRAME_METHOD || !on_content(ch, type, frame + FRAME_PREFIX, size)) {
    close_connection(c, &w, 505, "UNEXPECTED_FRAME - content out of order", method);
  } else if (ch->echoing) {
    put_bytes(&w, frame, (size_t)frame_length);
  }
  if (arguments.bad && !c->leaving) close_connection(c, &w, 502, "SYNTAX_ERROR - arguments are cut off", method);
  c->out_end = (size_t)(w.at - c->out);
}

int serve(struct connection *c)
{
  size_t offset = 0;
  long size = 0;
  if (!c->greeted && c->in_used >= 8) {
    struct writer w = {c->out + c->out_end, NULL};
    c->greeted = 1;
    offset = 8;
    if (memcmp(c->in, "AMQP\0\0\11\1", 8) == 0) {
      put_start(&w);
    } else {
      put_bytes(&w, "AMQP\0\0\11\1", 8);
      c->leaving = 1;
    }
    c->out_end = (size_t)(w.at - c->out);
  }
  while (c->greeted && !c->leaving && room(c) >= ANSWER_ROOM) {
    size = frame_size(c->in + offset, c->in_used - offset);
    if (size == 0) break;
    if (size < 0) {
      struct writer w = {c->out + c->out_end, NULL};
      close_connection(c, &w, 501, "FRAME_ERROR - not a frame of AMQP 0-9-1", 0);
      c->out_end = (size_t)(w.at - c->out);
      break;
    }
    on_frame(c, c->in + offset, size);
    offset += (size_t)size;
  }
  if (offset > 0) memmove(c->in, c->in + offset, c->in_used - offset);
  c->in_used -= offset;
  if (c->leaving) return 0;
  confirm(c);
  emit(c);
  return room(c) < ANSWER_ROOM;
}
