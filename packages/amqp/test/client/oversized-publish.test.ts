import { eventually, ScriptedBroker, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'

/** RabbitMQ's words, for class and method of a publish. */
const refusal = (bytes: number): readonly [number, string, number, number] => [
  406,
  `PRECONDITION_FAILED - message size ${bytes} is larger than configured max size 1000`,
  60,
  40,
]

/** Publishes bodies of these sizes at once; the broker answers the last one by closing the channel over `refused`. */
async function publishAll(sizes: readonly number[], refused: number, resend = false) {
  const broker = new ScriptedBroker()
  let isClosed = false
  broker.onPublish = ({ channel, tag }, link) => {
    if (isClosed || tag < sizes.length) return isClosed ? undefined : SILENT
    isClosed = true
    link.closeChannel(channel, ...refusal(refused))
    return SILENT
  }
  await using connection = await broker.connect()
  const channel = await connection.openChannel()
  const outcomes = await Promise.all(
    sizes.map((size) =>
      channel.publish('x', 'k', Buffer.alloc(size), { resend }).then(
        () => 'confirmed',
        (error: { readonly code: string }) => error.code,
      ),
    ),
  )
  await eventually(() => connection.stats().unconfirmed === 0)
  const sent = broker.links.flatMap((link) => link.publishes).map(({ body }) => body.length)
  return { outcomes, sent }
}

describe('a publish that is larger than the broker takes', () => {
  it('fails by itself: what stands behind it was never read, and is sent again', async () => {
    const { outcomes, sent } = await publishAll([1, 2000, 3, 4], 2000)
    expect(outcomes).toEqual(['E_UNCERTAIN', 'E_CHANNEL', 'confirmed', 'confirmed'])
    expect(sent).toEqual([1, 2000, 3, 4, 3, 4])
  })

  it('is not sent again either where that is asked for', async () => {
    const { outcomes, sent } = await publishAll([1, 2000, 3, 2000], 2000, true)
    expect(outcomes.filter((outcome) => outcome === 'confirmed').length).toBe(3)
    expect(sent).toEqual([1, 2000, 3, 2000, 1, 3, 2000])
  })

  it('leaves all uncertain when none has the size that the broker names', async () => {
    const { outcomes } = await publishAll([1, 2000, 3], 1999)
    expect(outcomes).toEqual(['E_UNCERTAIN', 'E_UNCERTAIN', 'E_UNCERTAIN'])
  })
})
