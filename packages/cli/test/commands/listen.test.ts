import type { TapOptions } from '@hermod/events'
import {
  AccessRefusedError,
  AuthenticationError,
  ConnectionClosedError,
  ConnectionError,
  ConnectionLostError,
  createDeferred,
  MessagingTimeoutError,
} from '@hermod/kernel'
import { settled } from '@hermod/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { anEvent } from '../an-event.ts'
import type { FakeTap } from '../fake-tap.ts'
import { FakeIo } from '../fake-io.ts'

const PASSWORD = 'hunter2-pa55'
const URL = `amqp://user:${PASSWORD}@broker:5672/cloud`

/** No password in any output, no listener left. */
function leavesNothing(io: FakeIo): void {
  expect(io.everything).not.toContain(PASSWORD)
  expect(io.signalSource.eventNames()).toEqual([])
}

/** What one event looks like on stdout. */
async function shown(isTty: boolean, env: Record<string, string>, ...flags: string[]): Promise<string> {
  const io = Object.assign(new FakeIo(), { isTty, width: 120, env: { HERMOD_URL: URL, ...env } })
  const running = await io.start('listen', '-n', '1', ...flags)
  io.tap.emit(anEvent({}))
  expect(await running.code).toBe(0)
  return io.stdout.text
}

describe('hermod listen', () => {
  let io: FakeIo
  beforeEach(() => {
    io = new FakeIo()
    io.env = { HERMOD_URL: URL }
  })
  afterEach(() => {
    leavesNothing(io)
  })

  const types = (): string[] => io.stdout.lines.map((line) => (JSON.parse(line) as { type: string }).type)

  describe('ends', () => {
    it('with 0 when -n is reached, having closed the tap and written no more', async () => {
      const running = await io.start('listen', '-n', '2')
      io.tap.emit(anEvent({ type: 'a' }), anEvent({ type: 'b' }), anEvent({ type: 'c' }))
      expect(await running.code).toBe(0)
      expect(types()).toEqual(['a', 'b'])
      expect(io.tap.closes).toBe(1)
      expect(io.clock.armed).toBe(0)
    })

    it('with 0 when --for is over', async () => {
      const running = await io.start('listen', '--for', '5s')
      io.tap.emit(anEvent({}))
      await io.clock.pass(4999)
      expect(running.ended).toBe(false)
      await io.clock.pass(1)
      expect(await running.code).toBe(0)
      expect(io.stdout.lines).toHaveLength(1)
      expect(io.tap.closes).toBe(1)
    })

    it('with 5 when --for is over before -n', async () => {
      const running = await io.start('listen', '--for', '5s', '-n', '2')
      io.tap.emit(anEvent({}))
      await io.clock.pass(5000)
      expect(await running.code).toBe(5)
    })

    it('with 0 when -n is reached before --for', async () => {
      const running = await io.start('listen', '--for', '5s', '-n', '1')
      io.tap.emit(anEvent({}))
      expect(await running.code).toBe(0)
      expect(io.clock.armed).toBe(0)
    })

    it('with 0 when --until-idle is over, counted from the last event shown', async () => {
      const running = await io.start('listen', '--until-idle', '2s', 'a')
      await io.clock.pass(1500)
      io.tap.emit(anEvent({ type: 'a' }))
      await io.clock.pass(1900)
      io.tap.emit(anEvent({ type: 'filtered out' }))
      expect(running.ended).toBe(false)
      await io.clock.pass(100)
      expect(await running.code).toBe(0)
      expect(types()).toEqual(['a'])
    })

    it('with 130 on SIGINT and 143 on SIGTERM', async () => {
      const interrupted = await io.start('listen')
      io.signal('SIGINT')
      expect(await interrupted.code).toBe(130)
      expect(io.tap.closes).toBe(1)
      const other = new FakeIo()
      other.env = io.env
      const terminated = await other.start('listen')
      other.signal('SIGTERM')
      expect(await terminated.code).toBe(143)
    })

    it('at once on a second SIGINT, though closing hangs', async () => {
      io.tap.closeHangs = true
      const running = await io.start('listen')
      io.signal('SIGINT')
      await settled()
      expect(running.ended).toBe(false)
      io.signal('SIGINT')
      expect(await running.code).toBe(130)
    })

    it('after a moment when closing hangs', async () => {
      io.tap.closeHangs = true
      const running = await io.start('listen', '--for', '1s')
      await io.clock.pass(1000)
      expect(running.ended).toBe(false)
      await io.clock.pass(2000)
      expect(await running.code).toBe(0)
    })

    it('with 130 on SIGINT while it connects, and closes what opens later', async () => {
      const opening = createDeferred<FakeTap>()
      const slow = Object.assign(new FakeIo(), {
        env: io.env,
        openTap: (options: TapOptions) => {
          slow.opened.push(options)
          return opening.promise
        },
      })
      const running = await slow.start('listen')
      slow.signal('SIGINT')
      expect(await running.code).toBe(130)
      opening.resolve(slow.tap)
      await settled()
      expect(slow.tap.closes).toBe(1)
    })

    it('with 130 on SIGINT though nobody takes what was written', async () => {
      io.stdout.stall()
      const running = await io.start('listen')
      io.tap.emit(anEvent({}), anEvent({}))
      await settled()
      io.signal('SIGINT')
      await io.clock.pass(500)
      expect(await running.code).toBe(130)
    })

    it('with 0 and without a word when stdout is closed', async () => {
      const running = await io.start('listen', '-q')
      io.tap.emit(anEvent({}))
      await settled()
      io.stdout.breakWith('EPIPE')
      expect(await running.code).toBe(0)
      expect(io.stderr.text).toBe('')
      expect(io.tap.closes).toBe(1)
    })

    it('with 70 and the reason when stdout fails otherwise', async () => {
      const running = await io.start('listen')
      io.stdout.breakWith('ENOSPC')
      expect(await running.code).toBe(70)
      expect(io.stderr.text).toContain('hermod: stdout cannot be written (ENOSPC)')
    })

    it.each([
      [4, new ConnectionError('tcp', 'no connection to broker:5672: connection refused')],
      [4, new AuthenticationError("the broker refused the login of 'user'")],
      [4, new AccessRefusedError("there is no virtual host 'cloud'", { details: { replyCode: 530 } })],
      [4, new MessagingTimeoutError('connecting to broker:5672', 1000)],
      [8, new AccessRefusedError('no permission to make the queue', { details: { replyCode: 403 } })],
      [70, new TypeError('a fault')],
    ])('with %d and one line when opening fails', async (code, error) => {
      io.openError = error
      const running = await io.start('listen')
      expect(await running.code).toBe(code)
      expect(io.stderr.lines).toHaveLength(1)
      expect(io.stderr.text).toContain(error.message)
      expect(io.stdout.text).toBe('')
    })

    it('with the reason of each of several brokers', async () => {
      const first = new ConnectionError('tcp', 'no connection to h1:5672')
      const second = new ConnectionError('tcp', 'no connection to h2:5672', {
        cause: new AggregateError([first], 'no connection to h1:5672; no connection to h2:5672'),
      })
      io.openError = second
      expect(await (await io.start('listen')).code).toBe(4)
      expect(io.stderr.lines).toEqual(['hermod: no connection to h1:5672; no connection to h2:5672'])
    })

    it('with 4 when the tap ends by itself', async () => {
      const running = await io.start('listen')
      io.tap.breakWith()
      expect(await running.code).toBe(4)
      expect(io.stderr.text).toContain('ended by itself')
    })

    it('with 4 and the reason when the tap fails for good', async () => {
      const running = await io.start('listen')
      io.tap.breakWith(new ConnectionClosedError('the user may log in no more'))
      expect(await running.code).toBe(4)
      expect(io.stderr.text).toContain('hermod: the user may log in no more\n')
      expect(io.tap.closes).toBe(1)
    })

    it.each(['/nowhere/at/all.conf'])('with 3 for the unreadable conf file %s', async (path) => {
      const running = await io.start('listen', '--from-conf', path)
      expect(await running.code).toBe(3)
      expect(io.stderr.text).toContain(`${path} cannot be read`)
    })

    it('with 3 for a bad HERMOD_URL', async () => {
      io.env = { HERMOD_URL: `http://user:${PASSWORD}@broker/` }
      expect(await (await io.start('listen')).code).toBe(3)
    })
  })

  describe('shows', () => {
    it('what passes patterns, services and priorities', async () => {
      const running = await io.start(
        'listen',
        'compute.*',
        '!*.exists',
        '-s',
        'Nova,glance',
        '-p',
        'warning',
        '-p',
        'info',
        '-n',
        '2',
      )
      io.tap.emit(
        anEvent({ type: 'compute.instance.exists' }),
        anEvent({ type: 'port.create.end', exchange: 'neutron', publisher: 'network.ctl1' }),
        anEvent({ type: 'compute.instance.update' }),
        anEvent({ type: 'compute.instance.update', priority: 'ERROR' }),
        anEvent({ type: 'compute.instance.delete.end', priority: 'WARN' }),
      )
      expect(await running.code).toBe(0)
      expect(types()).toEqual(['compute.instance.update', 'compute.instance.delete.end'])
    })

    it('no more than stdout takes, and goes on when it takes more', async () => {
      io.stdout.stall()
      const running = await io.start('listen', '-n', '3')
      io.tap.emit(anEvent({ type: 'a' }), anEvent({ type: 'b' }), anEvent({ type: 'c' }))
      await settled()
      expect(io.stdout.lines).toHaveLength(1)
      io.stdout.resume()
      expect(await running.code).toBe(0)
      expect(types()).toEqual(['a', 'b', 'c'])
    })

    it('what waits for a slow reader, however long --until-idle is over', async () => {
      io.stdout.stall()
      const running = await io.start('listen', '--until-idle', '1s')
      io.tap.emit(anEvent({ type: 'a' }), anEvent({ type: 'b' }))
      await io.clock.pass(60_000)
      expect(running.ended).toBe(false)
      expect(io.tap.closes).toBe(0)
      io.stdout.resume()
      await io.clock.pass(999)
      expect(running.ended).toBe(false)
      await io.clock.pass(1)
      expect(await running.code).toBe(0)
      expect(types()).toEqual(['a', 'b'])
    })

    it('what the tap held already when --for was over', async () => {
      io.stdout.stall()
      const running = await io.start('listen', '--for', '1s')
      io.tap.emit(anEvent({ type: 'a' }), anEvent({ type: 'b' }), anEvent({ type: 'c' }))
      await io.clock.pass(1000)
      io.stdout.resume()
      expect(await running.code).toBe(0)
      expect(types()).toEqual(['a', 'b', 'c'])
    })

    it('pretty lines with colours on a terminal, ndjson in a pipe, and what -o says anywhere', async () => {
      expect(await shown(true, {})).toContain('\u001b[')
      expect(await shown(false, {})).toMatch(/^\{"v":1,/)
      expect(await shown(true, {}, '-o', 'ndjson')).toMatch(/^\{"v":1,/)
      for (const plain of [
        await shown(false, {}, '-o', 'pretty'),
        await shown(true, {}, '--no-color'),
        await shown(true, { NO_COLOR: '1' }),
        await shown(true, { TERM: 'dumb' }),
      ]) {
        expect(plain).toMatch(/^12:00:13\.530 {2}nova /)
        expect(plain).not.toContain('\u001b')
      }
    })
  })

  describe('opens the tap', () => {
    it('with the server of the URL and all known exchanges', async () => {
      const running = await io.start('listen', '--connect-timeout', '3s')
      expect(io.opened).toMatchObject([
        {
          servers: [{ hostname: 'broker', port: 5672, username: 'user', virtualHost: 'cloud' }],
          topics: [],
          connectTimeoutMs: 3000,
        },
      ])
      expect(io.opened[0]).not.toHaveProperty('exchanges')
      io.signal('SIGINT')
      await running.code
    })

    it('with the exchanges of -x only, and the topics of -t added', async () => {
      const running = await io.start('listen', '-x', 'nova,site', '-x', 'heat', '-t', 'billing, audit')
      expect(io.opened).toMatchObject([{ exchanges: ['nova', 'site', 'heat'], topics: ['billing', 'audit'] }])
      io.signal('SIGINT')
      await running.code
    })

    it('with --url rather than HERMOD_URL, and says that ps shows its password', async () => {
      const running = await io.start('listen', '--url', `rabbit://u:${PASSWORD}@other/v`)
      expect(io.opened[0]?.servers).toMatchObject([{ hostname: 'other' }])
      expect(io.stderr.text).toContain('HERMOD_URL or --url-file')
      io.signal('SIGINT')
      await running.code
    })
  })

  describe('says on stderr', () => {
    it('what it taps where', async () => {
      const running = await io.start('listen')
      expect(io.stderr.lines).toEqual([
        'hermod: tapping 2 exchanges on broker:5672/cloud (queue hermod.tap.0a1b2c3d); 1 exchange is not there yet',
      ])
      io.signal('SIGINT')
      await running.code
    })

    it('why nothing may come, once, after 10 s', async () => {
      const running = await io.start('listen')
      await io.clock.pass(9999)
      expect(io.stderr.text).not.toContain('likeliest reasons')
      await io.clock.pass(60_000)
      expect(io.stderr.text.match(/likeliest reasons/g)).toHaveLength(1)
      io.signal('SIGINT')
      await running.code
    })

    it('nothing of the kind once an event was shown', async () => {
      const running = await io.start('listen')
      io.tap.emit(anEvent({}))
      await io.clock.pass(60_000)
      expect(io.stderr.text).not.toContain('likeliest')
      io.signal('SIGINT')
      await running.code
    })

    it('why nothing came when a shorter time is over', async () => {
      const running = await io.start('listen', '--for', '1s', '-n', '1')
      await io.clock.pass(1000)
      expect(await running.code).toBe(5)
      expect(io.stderr.text).toContain('2 exchanges (nova, neutron)')
    })

    it('no reasons while the tap is away, which was said before', async () => {
      const running = await io.start('listen')
      io.tap.facts = { ...io.tap.facts, bindings: [], queue: '' }
      await io.clock.pass(10_000)
      expect(io.stderr.text).not.toContain('likeliest')
      io.signal('SIGINT')
      await running.code
    })

    it('how the tap is doing, with control characters written out', async () => {
      const running = await io.start('listen')
      const at = new Date()
      io.tap.say({ type: 'disconnected', at, error: new ConnectionLostError('gone \u001b[2J away\n') })
      io.tap.say({ type: 'reconnecting', at, attempt: 1, delayMs: 800, error: undefined })
      expect(io.stderr.lines.slice(1)).toEqual([
        'hermod: connection lost (gone \\x1b[2J away)',
        'hermod: trying again in 0.8 s',
      ])
      io.signal('SIGINT')
      await running.code
    })

    it('frequent things once a second', async () => {
      const running = await io.start('listen')
      const drop = (total: number): void =>
        io.tap.say({ type: 'ring-dropped', at: new Date(), dropped: 1, total })
      drop(1)
      drop(2)
      await io.clock.pass(1000)
      drop(3)
      expect(io.stderr.lines.filter((line) => line.includes('dropped'))).toHaveLength(2)
      io.signal('SIGINT')
      await running.code
    })

    it('at the end what was missed', async () => {
      const running = await io.start('listen', '-n', '1')
      io.tap.facts = { ...io.tap.facts, ringDropped: 3, unreadable: 2, gaps: 1, brokerMayHaveDropped: true }
      io.tap.emit(anEvent({}))
      await running.code
      expect(io.stderr.lines.at(-1)).toBe(
        'hermod: 1 event shown; 3 dropped because the output was too slow; 2 unreadable; 1 gap in the connection; the broker may have dropped some from the full tap',
      )
    })

    it('with -q nothing but losses and failures', async () => {
      const running = await io.start('listen', '-q', '--url', URL)
      const at = new Date()
      io.tap.say({ type: 'reconnecting', at, attempt: 1, delayMs: 800, error: undefined })
      await io.clock.pass(20_000)
      expect(io.stderr.text).toBe('')
      io.tap.say({ type: 'gap', at, from: at, to: at, lengthMs: 0 })
      expect(io.stderr.text).toContain('gap of')
      io.signal('SIGINT')
      await running.code
    })
  })
})
