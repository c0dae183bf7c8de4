import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { findRabbitMq, needs, startRabbitMq, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, it } from 'vitest'
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

export function conformance(groups: readonly ScriptGroup[]): void {
  describe.skipIf(gate.skip)(`beside RabbitMQ${gate.note}`, () => {
    let rabbit: BrokerFixture
    beforeAll(async () => {
      rabbit = await startRabbitMq()
    })
    afterAll(async () => {
      await rabbit?.[Symbol.asyncDispose]()
    })
    describe.each(groups)('$concept', ({ concept, scripts, apart }) => {
      const each = apart ? it.concurrent.each(scripts) : it.each(scripts)
      each('$title', async (script) => {
        const truth = await play(script, rabbit.port)
        write(concept, script, 'rabbitmq', truth)
      })
    })
  })
}
