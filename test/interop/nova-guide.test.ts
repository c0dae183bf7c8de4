import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBroker, needs, startBroker, type BrokerFixture } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blocks, read } from '../docs/markdown.ts'
import { PRELUDES } from '../docs/preludes.ts'
import { startPeer } from '../e2e/start-peer.ts'
import { ExampleProgram } from './example-program.ts'
import { OSLO_PYTHONS } from './oslo-pythons.ts'

const GUIDE = 'docs/call-nova.md'

const rabbitMq = findBroker('administer')
const peers = OSLO_PYTHONS.map((peer) => ({ ...peer, gate: needs(rabbitMq, peer.availability) }))
const folder = mkdtempSync(join(tmpdir(), 'hermod-nova-guide-'))
let broker: BrokerFixture
let source: string
beforeAll(async () => {
  if (peers.every(({ gate }) => gate.skip)) return
  broker = await startBroker()
  const url = broker.url.replace('amqp:', 'rabbit:')
  const files = [
    ['/etc/nova/nova.conf', `[DEFAULT]\ntransport_url = ${url}\nrpc_response_timeout = 20\n`],
    ['/etc/my-service/rabbit-url', `${url}\n`],
  ] as const
  const code = `${PRELUDES[GUIDE]}${blocks(read(GUIDE), 'ts').join('\n')}\nprocess.exit()\n`
  source = files.reduce((text, [path, content], index) => {
    const file = join(folder, String(index))
    writeFileSync(file, content)
    return text.replace(path, file)
  }, code)
})
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await broker?.[Symbol.asyncDispose]()
})

for (const { python, release, gate } of peers) {
  describe.skipIf(gate.skip)(`the guide to nova and oslo.messaging ${release}${gate.note}`, () => {
    it('calls what it says, with the context that it says', async () => {
      await using nova = startPeer('nova_services', { url: broker.url }, python)
      expect(await nova.next()).toEqual({ ready: true })
      await using program = new ExampleProgram('call-nova', broker.url, source)
      expect([await program.ended(), program.stderr]).toEqual([0, 'no such host\n'])
      expect(program.stdout.split('\n')).toEqual([
        "{ service: 'conductor', arg: 'hello' }",
        '12:00:01 up 3 days',
        'conductor',
        expect.stringMatching(/^req-[\w-]{36}$/),
        'false',
        '',
      ])
      const [, , requestId] = program.stdout.split('\n').slice(1)
      const requests = [await nova.next(), await nova.next(), await nova.next(), await nova.next()]
      expect(requests.map(({ method }) => method)).toEqual([
        'ping',
        'get_host_uptime',
        'ping',
        'get_host_uptime',
      ])
      expect(requests[3]?.['context']).toMatchObject({
        user_id: 'my-service',
        project_id: 'service',
        is_admin: true,
        roles: ['admin'],
        read_deleted: 'no',
        auth_token: null,
        request_id: requestId,
      })
    })
  })
}
