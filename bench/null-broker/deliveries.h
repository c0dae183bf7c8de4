/* What the null broker delivers, and how that is settled. */
#ifndef DELIVERIES_H
#define DELIVERIES_H

#include "connection.h"

/* Of the whole process, read as the message count of the queue `count.settled`. */
uint64_t settled_in_all(void);

/* Settles one tag, or every tag up to it. Says whether the tag was one that the client holds. */
int settle(struct channel *ch, uint64_t tag, int multiple);

/* Lays one delivery out as bytes, once for each consumer. Says whether there was memory for it. */
int prepare_delivery(struct connection *c, struct channel *ch, uint16_t id, const char *queue, uint32_t size);

/* Begins the delivery of a message whose header and body follow as they came. */
void begin_echo(struct channel *ch, struct writer *w, uint16_t id);

/* Writes deliveries as far as prefetch and room allow. */
void emit(struct connection *c);

#endif
