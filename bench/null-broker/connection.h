/* One client of the null broker: its buffers, its channels, and what they are in the middle of. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "wire.h"

enum {
  IN_SIZE = 1 << 20,
  OUT_SIZE = 4 << 20,
  /* Frames are handled only while this much output is free: more than any answer takes, an echoed frame included. */
  ANSWER_ROOM = FRAME_MAX + 1024,
  /* The largest body that a queue emits, so that a delivery always fits the output. */
  MAX_EMIT_SIZE = 1 << 20,
  MAX_CHANNEL = 127,
  /* How far the newest delivery may be ahead of the oldest unsettled one. A power of two. */
  TAG_SPAN = 1 << 16
};

struct channel {
  /* Publishing. */
  int confirming;
  int publish_open;         /* a publish waits for its header or for the rest of its body */
  int echoing;              /* and is a delivery at the same time */
  int header_seen;
  uint64_t body_left;
  uint64_t published;
  uint64_t confirmed;
  /* Consuming. */
  int consuming;
  int no_ack;
  uint16_t prefetch;        /* 0: as many as the span of tags allows */
  char consumer_tag[256];
  uint64_t to_emit;
  uint64_t next_tag;
  uint64_t lowest_unsettled;
  uint32_t outstanding;
  uint8_t *delivery;        /* one delivery as bytes; only its tag changes */
  size_t delivery_size;
  size_t tag_offset;
  uint8_t unsettled[TAG_SPAN / 8];
  /* A channel that the broker closed ignores everything until close-ok. */
  int closing;
};

struct connection {
  int fd;
  int greeted;              /* the protocol header has been seen */
  int leaving;              /* goes away once the output is written */
  uint32_t frame_max;
  size_t in_used;
  size_t out_start;
  size_t out_end;
  struct channel *channels[MAX_CHANNEL + 1];
  uint8_t in[IN_SIZE];
  uint8_t out[OUT_SIZE];
};

/* Handles whatever whole frames have arrived, confirms, emits. Says whether it stopped for want of room. */
int serve(struct connection *c);

/* Frees the channels of a connection that has ended. */
void forget_channels(struct connection *c);

static inline size_t room(const struct connection *c) { return OUT_SIZE - c->out_end; }

#endif
