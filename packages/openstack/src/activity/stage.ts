import type { JsonObject } from '@hermod/kernel'
import { eventSample, type EventSample } from '../event-samples.ts'
import type { ActivityEvent } from './activity-event.ts'
import { Cloud, type Account } from './cloud.ts'
import { fillIn } from './fill-in.ts'
import { contextFacts, type Request } from './request.ts'
import { SeededRandom } from './seeded-random.ts'

/** What a story needs to be told: a cloud that it happens in, and the time. */
export class Stage {
  readonly random: SeededRandom
  readonly cloud: Cloud
  readonly now: () => Date

  constructor(seed: number, now: () => Date) {
    this.random = new SeededRandom(seed)
    this.cloud = new Cloud(this.random, now())
    this.now = now
  }

  /** @param within the request at another service that asks for this one. */
  request(user: Account, project: Account, within?: Request): Request {
    return { id: `req-${this.random.uuid()}`, globalId: within?.id ?? null, user, project }
  }

  /**
   * An event in the shape in which a real service sent this type: its members, with these facts in them.
   *
   * @param host where the publisher runs.
   */
  event(eventType: string, host: string, request: Request, facts: JsonObject): ActivityEvent {
    const { exchange, publisherId, priority, payload, context } = sampleOf(eventType)
    return {
      exchange,
      publisherId: `${(publisherId ?? '').split('.', 1)[0]}.${host}`,
      priority,
      eventType,
      payload: fillIn(payload as JsonObject, facts),
      context: fillIn(context, contextFacts(request, this.now())),
    }
  }
}

/** The sample of a type that is known to be among them. */
export function sampleOf(eventType: string): EventSample {
  const sample = eventSample(eventType)
  if (sample === undefined) throw new RangeError(`there is no sample of '${eventType}'`)
  return sample
}
