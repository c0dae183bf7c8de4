/*
 * The little of AMQP 0-9-1 that the null broker and its driver share: big-endian numbers, a cursor over a
 * method's arguments, and a writer that opens and closes frames.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { FRAME_METHOD = 1, FRAME_HEADER = 2, FRAME_BODY = 3, FRAME_HEARTBEAT = 8, FRAME_END = 0xCE };
enum { FRAME_PREFIX = 7, FRAME_OVERHEAD = 8, FRAME_MAX = 131072, FRAME_MIN = 4096 };

/* Class and method id in one number, so that a switch can hold them. */
#define METHOD(class_id, method_id) (((uint32_t)(class_id) << 16) | (uint32_t)(method_id))

static inline uint16_t read_u16(const uint8_t *p) { return (uint16_t)((p[0] << 8) | p[1]); }

static inline uint32_t read_u32(const uint8_t *p)
{
  return ((uint32_t)p[0] << 24) | ((uint32_t)p[1] << 16) | ((uint32_t)p[2] << 8) | p[3];
}

static inline uint64_t read_u64(const uint8_t *p) { return ((uint64_t)read_u32(p) << 32) | read_u32(p + 4); }

static inline void write_u16(uint8_t *p, uint16_t v)
{
  p[0] = (uint8_t)(v >> 8);
  p[1] = (uint8_t)v;
}

static inline void write_u32(uint8_t *p, uint32_t v)
{
  write_u16(p, (uint16_t)(v >> 16));
  write_u16(p + 2, (uint16_t)v);
}

static inline void write_u64(uint8_t *p, uint64_t v)
{
  write_u32(p, (uint32_t)(v >> 32));
  write_u32(p + 4, (uint32_t)v);
}

/* Reads arguments; once something is missing, `bad` stays set and every read gives zero. */
struct cursor {
  const uint8_t *at;
  const uint8_t *end;
  int bad;
};

static inline const uint8_t *take(struct cursor *c, size_t size)
{
  static const uint8_t zeros[8] = {0};
  if (c->bad || (size_t)(c->end - c->at) < size) {
    c->bad = 1;
    return zeros;
  }
  c->at += size;
  return c->at - size;
}

static inline uint8_t take_u8(struct cursor *c) { return *take(c, 1); }
static inline uint16_t take_u16(struct cursor *c) { return read_u16(take(c, 2)); }
static inline uint32_t take_u32(struct cursor *c) { return read_u32(take(c, 4)); }
static inline uint64_t take_u64(struct cursor *c) { return read_u64(take(c, 8)); }

/* Copies a short string, zero-terminated, into `into` (256 bytes) where that is not NULL. */
static inline void take_short_string(struct cursor *c, char *into)
{
  size_t size = take_u8(c);
  const uint8_t *text = c->at;
  if (c->bad || (size_t)(c->end - c->at) < size) {
    c->bad = 1;
    size = 0;
  }
  c->at += size;
  if (into == NULL) return;
  memcpy(into, text, size);
  into[size] = '\0';
}

/* Appends to memory that the caller knows to be large enough. */
struct writer {
  uint8_t *at;
  uint8_t *frame;
};

static inline void put_u8(struct writer *w, uint8_t v) { *w->at++ = v; }

static inline void put_u16(struct writer *w, uint16_t v)
{
  write_u16(w->at, v);
  w->at += 2;
}

static inline void put_u32(struct writer *w, uint32_t v)
{
  write_u32(w->at, v);
  w->at += 4;
}

static inline void put_u64(struct writer *w, uint64_t v)
{
  write_u64(w->at, v);
  w->at += 8;
}

static inline void put_bytes(struct writer *w, const void *from, size_t size)
{
  memcpy(w->at, from, size);
  w->at += size;
}

static inline void put_short_string(struct writer *w, const char *text)
{
  size_t size = strlen(text);
  put_u8(w, (uint8_t)size);
  put_bytes(w, text, size);
}

static inline void put_long_string(struct writer *w, const char *text)
{
  size_t size = strlen(text);
  put_u32(w, (uint32_t)size);
  put_bytes(w, text, size);
}

static inline void begin_frame(struct writer *w, uint8_t type, uint16_t channel)
{
  w->frame = w->at;
  put_u8(w, type);
  put_u16(w, channel);
  w->at += 4;
}

static inline void begin_method(struct writer *w, uint16_t channel, uint32_t method)
{
  begin_frame(w, FRAME_METHOD, channel);
  put_u32(w, method);
}

static inline void end_frame(struct writer *w)
{
  write_u32(w->frame + 3, (uint32_t)(w->at - w->frame - FRAME_PREFIX));
  put_u8(w, FRAME_END);
}

/* A content header without properties, then the body in frames of at most `frame_max`. */
static inline void put_content(struct writer *w, uint16_t channel, uint32_t size, uint32_t frame_max)
{
  begin_frame(w, FRAME_HEADER, channel);
  put_u16(w, 60);
  put_u16(w, 0);
  put_u64(w, size);
  put_u16(w, 0);
  end_frame(w);
  while (size > 0) {
    uint32_t part = size < frame_max - FRAME_OVERHEAD ? size : frame_max - FRAME_OVERHEAD;
    begin_frame(w, FRAME_BODY, channel);
    memset(w->at, 'x', part);
    w->at += part;
    end_frame(w);
    size -= part;
  }
}

/* The size of the first whole frame in `size` bytes: 0 when it is not whole yet, -1 when it can never be. */
static inline long frame_size(const uint8_t *p, size_t size)
{
  if (size < FRAME_PREFIX) return 0;
  uint32_t payload = read_u32(p + 3);
  if (payload > FRAME_MAX - FRAME_OVERHEAD) return -1;
  if (size < (size_t)payload + FRAME_OVERHEAD) return 0;
  if (p[payload + FRAME_PREFIX] != FRAME_END) return -1;
  return (long)payload + FRAME_OVERHEAD;
}

#endif
