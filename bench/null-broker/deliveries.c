/* What the null broker delivers, and how that is settled. */
#include "deliveries.h"

#include <stdlib.h>

static uint64_t total_settled;

uint64_t settled_in_all(void) { return total_settled; }

static int is_unsettled(const struct channel *ch, uint64_t tag)
{
  return (ch->unsettled[(tag % TAG_SPAN) / 8] >> (tag % 8)) & 1;
}

static void settle_one(struct channel *ch, uint64_t tag)
{
  ch->unsettled[(tag % TAG_SPAN) / 8] &= (uint8_t)~(1u << (tag % 8));
  ch->outstanding--;
  total_settled++;
}

int settle(struct channel *ch, uint64_t tag, int multiple)
{
  if (multiple && tag == 0) tag = ch->next_tag - 1;
  else if (tag < ch->lowest_unsettled || tag >= ch->next_tag || !is_unsettled(ch, tag)) return 0;
  if (multiple) {
    for (; ch->lowest_unsettled <= tag; ch->lowest_unsettled++)
      if (is_unsettled(ch, ch->lowest_unsettled)) settle_one(ch, ch->lowest_unsettled);
  } else {
    settle_one(ch, tag);
  }
  while (ch->lowest_unsettled < ch->next_tag && !is_unsettled(ch, ch->lowest_unsettled)) ch->lowest_unsettled++;
  return 1;
}

static void put_deliver(struct channel *ch, struct writer *w, uint16_t id, uint64_t tag, const char *key)
{
  begin_method(w, id, METHOD(60, 60));
  put_short_string(w, ch->consumer_tag);
  put_u64(w, tag);
  put_u8(w, 0);
  put_short_string(w, "");
  put_short_string(w, key);
  end_frame(w);
}

int prepare_delivery(struct connection *c, struct channel *ch, uint16_t id, const char *queue,
                     uint32_t size)
{
  size_t frames = size / (c->frame_max - FRAME_OVERHEAD) + 3;
  struct writer w;
  free(ch->delivery);
  ch->delivery = malloc(1024 + size + frames * FRAME_OVERHEAD);
  if (ch->delivery == NULL) return 0;
  w.at = ch->delivery;
  put_deliver(ch, &w, id, 0, queue);
  ch->tag_offset = FRAME_PREFIX + 4 + 1 + strlen(ch->consumer_tag);
  put_content(&w, id, size, c->frame_max);
  ch->delivery_size = (size_t)(w.at - ch->delivery);
  return 1;
}

/* The next delivery is settled as it leaves. */
static void needs_no_ack(struct channel *ch)
{
  if (ch->lowest_unsettled == ch->next_tag) ch->lowest_unsettled++;
  total_settled++;
}

void begin_echo(struct channel *ch, struct writer *w, uint16_t id)
{
  needs_no_ack(ch);
  put_deliver(ch, w, id, ch->next_tag++, "echo");
}

void emit(struct connection *c)
{
  for (uint16_t id = 1; id <= MAX_CHANNEL; id++) {
    struct channel *ch = c->channels[id];
    if (ch == NULL || !ch->consuming) continue;
    while (ch->to_emit > 0 && room(c) >= ch->delivery_size + ANSWER_ROOM) {
      if (ch->next_tag - ch->lowest_unsettled >= TAG_SPAN) break;
      if (!ch->no_ack) {
        if (ch->prefetch != 0 && ch->outstanding >= ch->prefetch) break;
        ch->unsettled[(ch->next_tag % TAG_SPAN) / 8] |= (uint8_t)(1u << (ch->next_tag % 8));
        ch->outstanding++;
      } else {
        needs_no_ack(ch);
      }
      memcpy(c->out + c->out_end, ch->delivery, ch->delivery_size);
      write_u64(c->out + c->out_end + ch->tag_offset, ch->next_tag);
      c->out_end += ch->delivery_size;
      ch->next_tag++;
      ch->to_emit--;
    }
  }
}
