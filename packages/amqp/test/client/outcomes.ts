import type { HermodError } from '@hermod/kernel'
import type { ReceivedPublish } from '@hermod/testkit'

/** Lets some turns of the event loop pass. */
export const turns = async (count = 5): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
/** The bodies as texts. */
export const bodies = (publishes: readonly ReceivedPublish[]): string[] =>
  publishes.map(({ body }) => String(body))
/** What became of promises: `ok`, or the code of the error. */
export const fates = async (publishes: readonly Promise<void>[]): Promise<string[]> =>
  (await Promise.allSettled(publishes)).map((fate) =>
    fate.status === 'fulfilled' ? 'ok' : (fate.reason as HermodError).code,
  )
