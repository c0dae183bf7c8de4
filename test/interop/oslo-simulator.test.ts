import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { JsonValue } from '@hermod/kernel'
import {
  createNotificationListener,
  createNotifier,
  createRpcClient,
  createRpcServer,
  defineEndpoint,
  type Transport,
} from '@hermod/messaging'
import {
  findPython,
  findBroker,
  needs,
  startBroker,
  type Availability,
  type BrokerFixture,
} from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openTransport } from './rpc-peers.ts'

/** How many messages go each way. By hand it is 100 000. */
const MESSAGES = Number(process.env['HERMOD_SIMULATOR_CALLS'] ?? 2000)
const CLIENTS = 20
const LOAD: readonly string[] = ['-p', String(CLIENTS), '-m', String(MESSAGES / CLIENTS)]
const TIMEOUT_MS = 60_000 + MESSAGES * 10

const PYTHON = '/usr/bin/python3'
const SIMULATOR = fileURLToPath(new URL('../../.services/oslo-simulator/simulator.py', import.meta.url))

/** `[number, text, when it was sent, when the server had it, when its answer came]`. */
type SimulatedMessage = readonly JsonValue[]

interface Summary {
  readonly count: number
}

const simulator: Availability = existsSync(SIMULATOR)
  ? { available: true }
  : { available: false, reason: 'the simulator is missing (scripts/setup-services takes it)', excused: false }
const gate = needs(findBroker('administer'), findPython(['oslo_messaging', 'eventlet', 'yaml']), simulator)

describe.skipIf(gate.skip)(
  `oslo.messaging's simulator loses none of ${MESSAGES} messages${gate.note}`,
  () => {
    let broker: BrokerFixture
    let transport: Transport
    let folder: string
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'hermod-simulator-'))
      broker = await startBroker()
      transport = openTransport(broker.url, 'openstack')
    })
    afterAll(async () => {
      await transport?.close()
      await broker?.[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    })

    /** Runs it to its end. @returns the summary of what it counted. */
    async function simulate<Counted>(
      role: string,
      options: readonly string[] = [],
      general: readonly string[] = [],
    ): Promise<Counted> {
      const report = join(folder, `${role}.json`)
      const url = broker.url.replace('amqp:', 'rabbit:')
      const child = spawn(PYTHON, [SIMULATOR, '--url', url, '-j', report, ...general, role, ...options], {
        stdio: ['ignore', 'ignore', 'pipe'],
      })
      let stderr = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
      const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS)
      const [status] = (await once(child, 'close')) as [number | null]
      clearTimeout(timer)
      if (status !== 0) throw new Error(`the simulator ended with ${status}\n${stderr}`)
      return (JSON.parse(readFileSync(report, 'utf8')) as { readonly summary: Counted }).summary
    }

    it(
      'that it calls Hermod with',
      async () => {
        const started: unknown[] = []
        const done: unknown[] = []
        const endpoint = defineEndpoint({
          info: ({ message: [seq, cargo, sentAt] }: { message: SimulatedMessage }) =>
            [seq, cargo, sentAt, Date.now() / 1000, 0] as JsonValue,
          sync_start: ({ message }: { message: JsonValue }) => void started.push(message),
          sync_done: ({ message }: { message: JsonValue }) => void done.push(message),
        })
        const target = { topic: 'profiler_topic', server: 'profiler_server' }
        await using server = createRpcServer(transport, target, { endpoints: [endpoint] })
        await server.start()
        const counts = await simulate<Record<'client' | 'error' | 'round_trip', Summary>>('rpc-client', [
          ...LOAD,
          '--timeout',
          '60',
          '--sync',
          'call',
        ])
        expect(counts).toMatchObject({
          client: { count: MESSAGES },
          error: { count: 0 },
          round_trip: { count: MESSAGES },
        })
        expect([started.length, done.length]).toEqual([CLIENTS, CLIENTS])
        expect(server.stats()).toMatchObject({ done: MESSAGES + 2 * CLIENTS, failed: 0, duplicates: 0 })
      },
      TIMEOUT_MS + 30_000,
    )

    it(
      'that Hermod calls it with',
      async () => {
        const served = simulate<Summary>('rpc-server')
        const target = { topic: 'profiler_topic', server: 'profiler_server' }
        const client = createRpcClient(transport, target, { timeoutMs: 60_000 })
        // Nobody says when it serves.
        const asked = client.prepare({ atLeastOnce: true })
        await expect
          .poll(() => asked.call('sync_start', { message: { id: 'hermod' } }).catch(() => 'absent'), {
            timeout: 60_000,
          })
          .toBeNull()
        let next = 0
        const callOn = async (): Promise<void> => {
          while (next < MESSAGES) {
            const seq = next++
            const sent = [seq, 'x'.repeat(seq % 4000), Date.now() / 1000, 0, 0]
            const answer = (await client.call('info', { message: sent })) as SimulatedMessage
            expect([...answer.slice(0, 3), answer[4]]).toEqual([...sent.slice(0, 3), 0])
          }
        }
        await Promise.all(Array.from({ length: CLIENTS }, callOn))
        await client.call('sync_done', { message: { id: 'hermod' } })
        expect(await served).toMatchObject({ count: MESSAGES })
        expect(client.stats()).toMatchObject({ timedOut: 0, remoteErrors: 0 })
      },
      TIMEOUT_MS + 30_000,
    )

    it(
      'that it notifies Hermod with',
      async () => {
        const seen = new Set<string>()
        await using listener = createNotificationListener(transport, {
          topics: ['profiler_topic'],
          endpoints: [
            {
              info({ eventType, publisherId, payload }) {
                expect(eventType).toBe('compute.start')
                seen.add(JSON.stringify([publisherId, (payload as SimulatedMessage)[0]]))
              },
            },
          ],
        })
        await listener.start()
        const counts = await simulate<Record<'client' | 'error', Summary>>('notify-client', LOAD)
        expect(counts).toMatchObject({ client: { count: MESSAGES }, error: { count: 0 } })
        await expect.poll(() => seen.size, { timeout: TIMEOUT_MS }).toBe(MESSAGES)
      },
      TIMEOUT_MS + 30_000,
    )

    it.each(['notify-server', 'batch-notify-server'])(
      'that Hermod notifies its %s with',
      async (role) => {
        // The queue takes them, and the simulator finds them there: nobody says when it listens.
        const notifier = createNotifier(transport, { topics: ['profiler_topic'], publisherId: 'hermod' })
        let next = 0
        const notifyOn = async (): Promise<void> => {
          while (next < MESSAGES) {
            const seq = next++
            await notifier.info('compute.start', [seq, 'x'.repeat(seq % 4000), Date.now() / 1000, 0, 0])
          }
        }
        await Promise.all(Array.from({ length: CLIENTS }, notifyOn))
        const seconds = String(8 + Math.ceil(MESSAGES / 1000))
        expect(await simulate<Summary>(role, [], ['-l', seconds])).toMatchObject({ count: MESSAGES })
      },
      TIMEOUT_MS + 30_000,
    )
  },
)
