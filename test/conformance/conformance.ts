import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { createBroker, type Broker } from '@hermod/broker'
import { findRabbitMq, needs, startRabbitMq, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { intended } from './intended-differences.ts'
import type { Script, ScriptGroup } from './script.ts'
import { Stage } from './stage.ts'

const gate = needs(findRabbitMq())

/** Where `HERMOD_CONFORMANCE_TRANSCRIPTS` names a folder, everything that was said is written into it. */
const folder = process.env['HERMOD_CONFORMANCE_TRANSCRIPTS']

function write(concept: string, script: Script, broker: string, lines: readonly string[]): void {
  if (folder === undefined) return
  mkdirSync(folder, { recursive: true })
  const name = `${concept.replaceAll(/\W+/g, '-')}.${broker}.txt`
  appendFileSync(join(folder, name), [`### ${script.title}`, ...lines, '', ''].join('\n'))
}

/** What a broker says in a script. */
async function play(script: Script, port: number): Promise<readonly string[]> {
  const stage = new Stage(port)
  try {
    await script.run(stage)
    await stage.settle()
  } finally {
    await stage.clear()
  }
  return stage.transcript.lines
}

/** How often a script is played while RabbitMQ says something else than the broker. */
const PLAYINGS = 3

/**
 * Plays every script to RabbitMQ 3.10 and to the broker with its profile, and holds what they say against each other.
 *
 * The channels and queues of RabbitMQ are processes that race each other, so that a busy machine may change the order of
 * what it says. The broker is one process and has no races: what it says must be what RabbitMQ says in one of a few
 * playings, and a real difference is there in all of them.
 */
export function conformance(groups: readonly ScriptGroup[]): void {
  describe.skipIf(gate.skip)(`beside RabbitMQ${gate.note}`, () => {
    let rabbit: BrokerFixture
    let broker: Broker
    let port: number
    beforeAll(async () => {
      rabbit = await startRabbitMq()
      broker = createBroker({ profile: 'rabbitmq-3.10' })
      port = (await broker.listen()).port
    })
    afterAll(async () => {
      await broker?.close()
      await rabbit?.[Symbol.asyncDispose]()
    })
    describe.each(groups)('$concept', ({ concept, scripts, apart }) => {
      const each = apart ? it.concurrent.each(scripts) : it.each(scripts)
      each('$title', async (script) => {
        for (let playing = 1; ; playing++) {
          const [truth, said] = await Promise.all([play(script, rabbit.port), play(script, port)])
          write(concept, script, 'rabbitmq', truth)
          write(concept, script, 'broker', said)
          const ours = said.map((line) => line.trim())
          const theirs = intended(concept, script.title, truth)
          if (playing < PLAYINGS && !isDeepStrictEqual(ours, theirs)) continue
          expect(ours).toEqual(theirs)
          return
        }
      })
    })
  })
}
