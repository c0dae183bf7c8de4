import { writeProperties, type BasicProperties } from '../wire/basic-properties.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import type { MethodArguments } from '../wire/generated/methods.ts'
import type { PendingPublish } from './pending-publish.ts'

/** A message that no queue took, as it came back. */
export interface ReturnedMessage {
  readonly args: MethodArguments['basic.return']
  readonly rawProperties: Buffer
  readonly body: Buffer
}

/**
 * Finds the publish that a `basic.return` belongs to. It names none, but comes before the confirm of its own, so it
 * is matched among the open mandatory ones, in the order of publishing, by everything that it carries.
 *
 * @param open what is open now, oldest first.
 * @returns undefined when there is none.
 */
export function matchReturned(
  { args, rawProperties, body }: ReturnedMessage,
  open: Iterable<PendingPublish | undefined>,
): PendingPublish | undefined {
  let candidate: PendingPublish | undefined
  for (const pending of open) {
    if (pending === undefined || !pending.mandatory || pending.returned !== undefined) continue
    if (pending.exchange !== args.exchange || pending.routingKey !== args.routingKey) continue
    if (!body.equals(pending.body)) continue
    if (encodedProperties(pending.properties).equals(rawProperties)) return pending
    candidate ??= pending
  }
  return candidate
}

const scratch = new ByteWriter(256)

function encodedProperties(properties: BasicProperties): Buffer {
  scratch.offset = 0
  writeProperties(scratch, properties)
  return scratch.written()
}
