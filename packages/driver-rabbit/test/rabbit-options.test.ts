import { ConfigurationError } from '@hermod/kernel'
import { parseConf, parseTransportUrl } from '@hermod/messaging'
import { describe, expect, it } from 'vitest'
import { RABBIT_OPTIONS } from '../src/rabbit-option-table.ts'
import { readRabbitOptions, type RabbitOptionSources } from '../src/rabbit-options.ts'
import type { RabbitOptions, RabbitSettings } from '../src/rabbit-settings.ts'

const inUrl = (query: string): RabbitOptionSources => ({ url: parseTransportUrl(`rabbit://h/?${query}`) })

const inConf = (...lines: readonly string[]): RabbitOptionSources => ({
  conf: parseConf(['[oslo_messaging_rabbit]', ...lines].join('\n'), 'nova.conf'),
})

const settingsOf = (sources: RabbitOptionSources): RabbitSettings => readRabbitOptions(sources).settings

function issuesOf(sources: RabbitOptionSources): readonly string[] {
  try {
    readRabbitOptions(sources)
  } catch (error) {
    if (error instanceof ConfigurationError) return error.issues
    throw error
  }
  return []
}

describe('the defaults', () => {
  it('are those of oslo.messaging, times in milliseconds', () => {
    const { hostname, processName, ...rest } = settingsOf({})
    expect({ hostname, processName }).not.toMatchObject({ hostname: '' })
    expect(processName).not.toContain('/')
    expect(rest).toEqual({
      durableQueues: false,
      autoDeleteQueues: false,
      quorumQueues: false,
      transientQuorumQueues: false,
      streamFanout: false,
      haQueues: false,
      quorumDeliveryLimit: 0,
      quorumMaxMemoryLength: 0,
      quorumMaxMemoryBytes: 0,
      transientQueuesTtlMs: 1_800_000,
      prefetchCount: 0,
      cancelOnFailover: false,
      useQueueManager: false,
      mandatoryReplies: true,
      missingConsumerTimeoutMs: 60_000,
      compression: undefined,
      tls: false,
      tlsCaFile: undefined,
      tlsCertFile: undefined,
      tlsKeyFile: undefined,
      loginMethod: 'AMQPLAIN',
      heartbeatMs: 60_000,
      retryIntervalMs: 1_000,
      retryBackoffMs: 2_000,
      retryIntervalMaxMs: 30_000,
    })
  })

  it('are one for each name', () => {
    const names = RABBIT_OPTIONS.flatMap(({ name, formerNames = [] }) => [name, ...formerNames])
    expect(new Set(names).size).toBe(names.length)
  })
})

describe('an option', () => {
  it('of the URL counts before that of the program, and this before that of the file', () => {
    const conf = inConf('rabbit_qos_prefetch_count = 1', 'heartbeat_timeout_threshold = 1', 'ssl = yes').conf
    const { url } = inUrl('rabbit_qos_prefetch_count=3')
    const options: RabbitOptions = { prefetchCount: 2, heartbeatMs: 2_000 }
    expect(settingsOf({ url, options, conf })).toMatchObject({
      prefetchCount: 3,
      heartbeatMs: 2_000,
      tls: true,
    })
  })

  it.each([
    ['ssl=TRUE', { tls: true }],
    ['ssl=0', { tls: false }],
    ['amqp_durable_queues=on&amqp_auto_delete=yes', { durableQueues: true, autoDeleteQueues: true }],
    ['rabbit_transient_queues_ttl=0', { transientQueuesTtlMs: 0 }],
    ['heartbeat_timeout_threshold=%2010%20', { heartbeatMs: 10_000 }],
    ['rabbit_login_method=plain', { loginMethod: 'PLAIN' }],
    ['ssl_ca_file=/etc/ssl/ca.pem', { tlsCaFile: '/etc/ssl/ca.pem' }],
    ['kombu_compression=gzip', { compression: 'gzip' }],
    ['rabbit_quorum_delivery_limit=-1', { quorumDeliveryLimit: -1 }],
    // Blank: not set.
    ['ssl_ca_file=&ssl=', { tlsCaFile: undefined, tls: false }],
  ])('is read from %s', (query, expected) => {
    expect(settingsOf(inUrl(query))).toMatchObject(expected)
  })

  it('is known by its former names', () => {
    const lines = [
      'kombu_ssl_ca_certs = /ca',
      'kombu_reconnect_timeout = 5',
      'rabbit_quroum_max_memory_bytes = 7',
    ]
    const expected = { tlsCaFile: '/ca', missingConsumerTimeoutMs: 5_000, quorumMaxMemoryBytes: 7 }
    expect(settingsOf(inConf(...lines))).toMatchObject(expected)
    expect(settingsOf(inUrl(lines.join('&').replaceAll(' ', '')))).toMatchObject(expected)
  })

  it('left blank in the file is not set', () => {
    expect(settingsOf(inConf('ssl_ca_file =', 'rabbit_qos_prefetch_count ='))).toEqual(settingsOf({}))
  })

  it('that a file holds and nobody knows is left alone', () => {
    expect(settingsOf(inConf('rabbit_hosts = h1'))).toEqual(settingsOf({}))
  })
})

describe('every option', () => {
  const written = RABBIT_OPTIONS.map((option) => {
    const { type, choices, min = 0, max } = option
    const inRange = max === undefined ? min + 1 : Math.min(min + 1, max)
    const value = type === 'boolean' ? 'true' : type === 'text' ? (choices?.[0] ?? 'gzip') : String(inRange)
    return { option, value }
  })

  const unused = written.filter(({ option }) => option.field === undefined)
  it.each(unused)('that does nothing says why, if it is set: $option.name', ({ option, value }) => {
    const { notes } = readRabbitOptions(inConf(`${option.name} = ${value}`))
    const told = `the option '${option.name}' does nothing here: ${option.note}`
    expect(notes).toEqual(String(option.defaultValue) === value ? [] : [told])
  })

  const used = written.flatMap(({ option, value }) =>
    option.field === undefined ? [] : { option, field: option.field, value },
  )
  it.each(used)('is taken from the file: $option.name', ({ option, field, value }) => {
    // A stream needs other options beside it.
    const needs =
      field === 'streamFanout'
        ? ['rabbit_qos_prefetch_count = 1', 'rabbit_transient_quorum_queue = true']
        : []
    const settings = settingsOf(inConf(`${option.name} = ${value}`, ...needs))
    const expected =
      option.type === 'boolean'
        ? true
        : option.type === 'text'
          ? value
          : Number(value) * (option.unit === 'seconds' ? 1000 : 1)
    expect(settings[field]).toBe(expected)
  })

  it.each(written.filter(({ option }) => option.type !== 'text'))(
    'refuses what is not of its type: $option.name',
    ({ option }) => {
      expect(issuesOf(inUrl(`${option.name}=much`))[0]).toContain(
        `option '${option.name}' in the transport URL is `,
      )
      expect(issuesOf(inConf(`${option.name} = much`))[0]).toContain(
        `nova.conf:2: option '${option.name}' of [oslo_messaging_rabbit] is `,
      )
    },
  )
})

describe('what is wrong', () => {
  it('is said all at once', () => {
    const { url } = inUrl('rabbit_quorum_que=true&heartbeat_timeout_threshold=soon&ssl=maybe')
    const { conf } = inConf('rabbit_qos_prefetch_count = many', 'rabbit_interval_max = 0')
    // What a program without types may pass.
    const options = { quorumQueue: true, prefetch: 1 } as RabbitOptions
    expect(issuesOf({ url, conf, options })).toEqual([
      "nova.conf:2: option 'rabbit_qos_prefetch_count' of [oslo_messaging_rabbit] is no whole number",
      "option 'ssl' in the transport URL is neither true nor false",
      "option 'heartbeat_timeout_threshold' in the transport URL is no whole number of seconds",
      "nova.conf:3: option 'rabbit_interval_max' of [oslo_messaging_rabbit] is less than 1",
      "the transport URL has an unknown option 'rabbit_quorum_que'; did you mean 'rabbit_quorum_queue'?",
      "there is no option 'quorumQueue'; did you mean 'quorumQueues'?",
      "there is no option 'prefetch'; did you mean 'prefetchCount'?",
    ])
  })

  it.each([
    ['prefetchCount=1', "unknown option 'prefetchCount'; did you mean 'rabbit_qos_prefetch_count'?"],
    ['heartbeat=60', "unknown option 'heartbeat'"],
    ['toString=1', "unknown option 'toString'"],
    ['__proto__=1', "unknown option '__proto__'"],
    ['kombu_reconnect_delay=5', "option 'kombu_reconnect_delay' in the transport URL is not from 0 to 4.5"],
    ['heartbeat_timeout_threshold=65536', 'is not from 0 to 65535'],
    ['rabbit_qos_prefetch_count=1.5', 'is no whole number'],
    ['rabbit_login_method=NONE', 'is none of PLAIN, AMQPLAIN, EXTERNAL, RABBIT-CR-DEMO'],
    ['rabbit_login_method=RABBIT-CR-DEMO', 'use AMQPLAIN, PLAIN or EXTERNAL'],
    ['kombu_compression=bz2', "kombu_compression is 'bz2'; it can be"],
  ])('in %s is named', (query, expected) => {
    const issues = issuesOf(inUrl(query))
    expect(issues).toHaveLength(1)
    expect(issues[0]).toContain(expected)
  })

  it.each<[string, RabbitOptions, readonly string[]]>([
    [
      'mirrored quorum queues',
      { haQueues: true, quorumQueues: true },
      ['rabbit_ha_queues and rabbit_quorum_queue'],
    ],
    [
      'mirrored transient quorum queues',
      { haQueues: true, transientQuorumQueues: true },
      ['rabbit_ha_queues and rabbit_transient_quorum_queue'],
    ],
    [
      'quorum queues that vanish',
      { autoDeleteQueues: true, quorumQueues: true },
      ['amqp_auto_delete and rabbit_quorum_queue'],
    ],
    [
      'streams alone',
      { streamFanout: true },
      ['needs rabbit_qos_prefetch_count above 0', 'needs rabbit_transient_quorum_queue'],
    ],
    [
      'streams without portions',
      { streamFanout: true, transientQuorumQueues: true },
      ['needs rabbit_qos_prefetch_count above 0'],
    ],
    [
      'streams beside classic queues',
      { streamFanout: true, prefetchCount: 1 },
      ['needs rabbit_transient_quorum_queue'],
    ],
  ])('with %s is said before the broker says it', (_, options, expected) => {
    const issues = issuesOf({ options })
    expect(issues).toHaveLength(expected.length)
    for (const [index, text] of expected.entries()) expect(issues[index]).toContain(text)
  })

  it.each<[RabbitOptions, string]>([
    [{ heartbeatMs: -1 }, "option 'heartbeatMs' is not from 0 to 65535000"],
    [{ retryIntervalMs: 0 }, "option 'retryIntervalMs' is less than 1"],
    [{ prefetchCount: 1.5 }, "option 'prefetchCount' is no whole number"],
    [
      { transientQueuesTtlMs: Number.NaN },
      "option 'transientQueuesTtlMs' is no whole number of milliseconds",
    ],
    [{ tls: 'yes' as never }, "option 'tls' is neither true nor false"],
    [{ hostname: 1 as never }, "option 'hostname' is no text"],
    [{ loginMethod: 'plain' as never }, "option 'loginMethod' is none of"],
  ])('in the options of a program is named: %j', (options, expected) => {
    const issues = issuesOf({ options })
    expect(issues).toHaveLength(1)
    expect(issues[0]).toContain(expected)
  })

  it('never shows a value, which may be a secret', () => {
    expect(issuesOf(inUrl('ssl=hunter2&rabbit_retry_interval=hunter2')).join()).not.toContain('hunter2')
  })
})

it('lets a program wait for less than a second', () => {
  expect(settingsOf({ options: { retryIntervalMs: 20, retryIntervalMaxMs: 50 } })).toMatchObject({
    retryIntervalMs: 20,
    retryIntervalMaxMs: 50,
  })
})
