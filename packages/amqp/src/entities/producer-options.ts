import type { DeadlineOptions } from '@hermod/kernel'
import type { CompressionRegistry } from './compression-registry.ts'
import type { ContentChoice } from './content-writer.ts'
import type { Entity } from './declared-entities.ts'
import type { Exchange } from './exchange.ts'
import type { MessageProperties } from './message-properties.ts'
import type { SerializerRegistry } from './serializer-registry.ts'

/** Where a message goes and what becomes of it on the way; of a message, or of all messages of a producer. */
interface Routing {
  /** An {@link Exchange}, which is declared, or the name of one that is there. Default: the default exchange. */
  readonly exchange?: Exchange | string | undefined
  /** Default empty. */
  readonly routingKey?: string | undefined
  /** Exchanges and queues that are to be there before a message leaves. */
  readonly declare?: readonly Entity[] | undefined
  /** A message that no queue takes rejects with MessageUndeliverableError. Default false. */
  readonly mandatory?: boolean | undefined
  /**
   * What happens when the connection breaks between the write and the confirm: `true` sends the message again, in
   * order and before newer ones (it may then arrive twice), `false` rejects with PublishUncertainError. Default false.
   */
  readonly resend?: boolean | undefined
  /** Milliseconds to wait for the confirm, with everything before it. Default: as long as the connection lives. */
  readonly timeoutMs?: number | undefined
}

/** What a {@link Producer} does with every message that does not say otherwise. */
export interface ProducerOptions extends Routing {
  /** Whether the exchange that a message goes to is declared first, if it is an {@link Exchange}. Default true. */
  readonly autoDeclare?: boolean | undefined
  /** Name or content type. Default: bytes as `raw`, text as `text`, everything else as `json`. */
  readonly serializer?: string | undefined
  /** Label or alias of a compression, for example `gzip`. Default: none. */
  readonly compression?: string | undefined
  /** Properties of every message. */
  readonly properties?: MessageProperties | undefined
  /** Default {@link DEFAULT_SERIALIZERS}. */
  readonly serializers?: SerializerRegistry | undefined
  /** Default {@link DEFAULT_COMPRESSIONS}. */
  readonly compressions?: CompressionRegistry | undefined
  /** Messages written and not yet confirmed, at the most; more wait. Default 1000. */
  readonly maxUnconfirmed?: number | undefined
}

/** How a {@link Producer} publishes one message: what is absent is the producer's. */
export interface ProducerPublishOptions extends MessageProperties, ContentChoice, Routing, DeadlineOptions {
  /** These are declared beside the producer's. */
  readonly declare?: readonly Entity[] | undefined
}
