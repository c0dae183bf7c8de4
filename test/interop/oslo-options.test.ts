import { RABBIT_OPTIONS, readRabbitOptions, type RabbitOption } from '@hermod/driver-rabbit'
import { TransportUrl } from '@hermod/messaging'
import { needs, type PythonPeer } from '@hermod/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPeer } from '../e2e/start-peer.ts'
import { OSLO_PYTHONS } from './oslo-pythons.ts'

/** An option as Python describes it. */
interface Described {
  readonly name: string
  readonly type: string
  readonly default: boolean | number | string | null
  readonly min: number | null
  readonly max: number | null
  readonly choices: readonly string[]
  readonly former: readonly string[]
}

const TYPES: Readonly<Record<string, RabbitOption['type']>> = {
  BoolOpt: 'boolean',
  IntOpt: 'integer',
  FloatOpt: 'number',
  StrOpt: 'text',
}

/** Defaults that changed between the releases; the newest one's is ours. */
const CHANGED_DEFAULTS: readonly string[] = ['ssl_enforce_hostname_verification', 'heartbeat_rate']

/** What a release does not have yet, or no longer. */
const ABSENT: Readonly<Record<string, readonly string[]>> = {
  '14.0.3': [
    'hostname',
    'kombu_reconnect_splay',
    'processname',
    'rabbit_stream_fanout',
    'rabbit_transient_quorum_queue',
    'use_queue_manager',
  ],
  newest: ['heartbeat_in_pthread'],
}

/** What oslo.messaging would take and hand to the broker, which has no use for it. */
const NARROWER: readonly string[] = [
  'rabbit_qos_prefetch_count',
  'heartbeat_timeout_threshold',
  'kombu_missing_consumer_retry_timeout',
  'rabbit_quorum_delivery_limit',
  'rabbit_quorum_max_memory_length',
  'rabbit_quorum_max_memory_bytes',
]

/** Without what only Python's own syntax of numbers has: `1_000`, digits of other scripts, `nan`. */
const TEXTS = [
  '0',
  '1',
  '-1',
  '+7',
  ' 7 ',
  '007',
  '4.5',
  '4.6',
  '65535',
  '65536',
  '1e3',
  '.5',
  '2.',
  '0x10',
  'true',
  'True',
  'YES',
  'on',
  'off',
  'No',
  'f',
  'yes please',
  'PLAIN',
  'shuffle',
  'gzip',
]

/** Whether a text is no number, or one between the bounds. */
function isWithin(text: string, { min, max }: Pick<Partial<Described>, 'min' | 'max'>): boolean {
  return !(Number(text) < (min ?? -Infinity) || Number(text) > (max ?? Infinity))
}

/** What an option in the URL comes to; undefined when it is refused. */
function ours(option: RabbitOption, text: string): unknown {
  const url = new TransportUrl({ scheme: 'rabbit', query: { [option.name]: text } })
  const { field, unit } = option
  // Streams are refused without these two.
  const beside = field === 'streamFanout' ? { transientQuorumQueues: true, prefetchCount: 1 } : {}
  try {
    const { settings } = readRabbitOptions({ url, options: beside })
    if (field === undefined) return 'taken'
    const value = settings[field]
    return unit === 'seconds' && typeof value === 'number' ? value / 1000 : value
  } catch {
    return undefined
  }
}

describe.each(OSLO_PYTHONS)('oslo.messaging $release', ({ release, python, availability }) => {
  const gate = needs(availability)

  describe.skipIf(gate.skip)(`has the options of the rabbit driver${gate.note}`, () => {
    let peer: PythonPeer
    let theirs: readonly Described[]
    beforeAll(async () => {
      peer = startPeer('oslo_options', {}, python)
      theirs = (await peer.ask({ list: true }))['options'] as readonly Described[]
    })
    afterAll(() => peer?.[Symbol.asyncDispose]())

    const known = (name: string): RabbitOption | undefined =>
      RABBIT_OPTIONS.find((option) => option.name === name || option.formerNames?.includes(name))

    it('all of them, with their types and choices and former names', () => {
      const unlike = theirs.flatMap(({ name, type, choices, former }) => {
        const option = known(name)
        const same =
          option !== undefined &&
          option.type === TYPES[type] &&
          (option.choices ?? []).join() === choices.join() &&
          former.every((one) => known(one) === option)
        return same ? [] : [name]
      })
      expect(unlike).toEqual([])
    })

    it('with their defaults, where the releases agree', () => {
      const unlike = theirs.flatMap((described) => {
        const option = known(described.name)
        if (option?.defaultIs !== undefined) return []
        if (release !== 'newest' && CHANGED_DEFAULTS.includes(described.name)) return []
        return (option?.defaultValue ?? '') === (described.default ?? '') ? [] : [described.name]
      })
      expect(unlike).toEqual([])
    })

    it('with their bounds, or narrower ones', () => {
      const unlike = theirs.filter(({ name, min, max }) => {
        const option = known(name)
        // In 14.0.3 the waits have no bounds yet, and a time to live of 0 is none.
        if (release !== 'newest' && /^rabbit_(retry|interval|transient)/.test(name)) return false
        if (NARROWER.includes(option?.name ?? '')) return min !== null || max !== null
        return (option?.min ?? null) !== min || (option?.max ?? null) !== max
      })
      expect(unlike.map(({ name }) => name)).toEqual([])
    })

    it('and every one, but those of other releases', () => {
      const names = new Set(theirs.map(({ name }) => known(name)))
      const absent = RABBIT_OPTIONS.filter((option) => !names.has(option)).map(({ name }) => name)
      expect(absent.toSorted()).toEqual(ABSENT[release])
    })

    it('and reads their values as the driver does', async () => {
      const cases = theirs.flatMap((described) => {
        const { name } = described
        const option = RABBIT_OPTIONS.find((one) => one.name === name)
        // Of a text everything is one, but where it is checked here and not there.
        const skipped = option === undefined || (option.type === 'text' && option.choices === undefined)
        if (skipped) return []
        // Where the bounds differ, what lies between them is no question of reading.
        const texts = TEXTS.filter((text) => isWithin(text, option) === isWithin(text, described))
        return texts.map((text) => ({ option, text }))
      })
      const read = cases.map(({ option, text }) => [option.name, text])
      const { values } = await peer.ask({ read })
      const unlike = (values as readonly (readonly unknown[] | null)[]).flatMap((value, index) => {
        const { option, text } = cases[index] as (typeof cases)[number]
        const mine = ours(option, text)
        const same = value === null ? mine === undefined : mine === 'taken' || mine === value[0]
        return same ? [] : [{ name: option.name, text, python: value?.[0], hermod: mine }]
      })
      expect(unlike).toEqual([])
    })
  })
})
