import { describe, expect, it } from 'vitest'
import { Queue, type QueueArguments } from '../../src/index.ts'

describe('QueueArguments', () => {
  const every: Required<QueueArguments> = {
    expiresMs: 1,
    messageTtlMs: 0,
    maxLength: 3,
    maxLengthBytes: 4,
    overflow: 'reject-publish',
    deadLetterExchange: 'dead',
    deadLetterRoutingKey: 'letters',
    deadLetterStrategy: 'at-least-once',
    maxPriority: 5,
    queueType: 'classic',
    queueMode: 'lazy',
    queueVersion: 2,
    queueLeaderLocator: 'balanced',
    deliveryLimit: -1,
    singleActiveConsumer: true,
    consumerTimeoutMs: 60_000,
    quorumInitialGroupSize: 3,
    quorumTargetGroupSize: 5,
    maxInMemoryLength: 6,
    maxInMemoryBytes: 7,
    maxAgeMs: 604_800_000,
    streamMaxSegmentSizeBytes: 500_000_000,
    streamFilterSizeBytes: 32,
    initialClusterSize: 3,
  }

  it('are written under their names on the wire, beside others', () => {
    expect(new Queue('jobs', { ...every, arguments: { 'x-other': 8 } }).arguments).toEqual({
      'x-expires': 1,
      'x-message-ttl': 0,
      'x-max-length': 3,
      'x-max-length-bytes': 4,
      'x-overflow': 'reject-publish',
      'x-dead-letter-exchange': 'dead',
      'x-dead-letter-routing-key': 'letters',
      'x-dead-letter-strategy': 'at-least-once',
      'x-max-priority': 5,
      'x-queue-type': 'classic',
      'x-queue-mode': 'lazy',
      'x-queue-version': 2,
      'x-queue-leader-locator': 'balanced',
      'x-delivery-limit': -1,
      'x-single-active-consumer': true,
      'x-consumer-timeout': 60_000,
      'x-quorum-initial-group-size': 3,
      'x-quorum-target-group-size': 5,
      'x-max-in-memory-length': 6,
      'x-max-in-memory-bytes': 7,
      'x-max-age': '604800s',
      'x-stream-max-segment-size-bytes': 500_000_000,
      'x-stream-filter-size-bytes': 32,
      'x-initial-cluster-size': 3,
      'x-other': 8,
    })
  })

  it.each([
    [{ expiresMs: 0 }, 'expiresMs is no whole number from 1'],
    [{ messageTtlMs: 1.5 }, 'messageTtlMs is no whole number'],
    [{ messageTtlMs: 2 ** 32 }, 'messageTtlMs is no whole number from 0 to 4294967295'],
    [{ maxPriority: 256 }, 'maxPriority is no whole number from 0 to 255'],
    [{ overflow: 'drop-tail' }, 'overflow is none of drop-head'],
    [{ deadLetterExchange: 7 }, 'deadLetterExchange is no text'],
    [{ singleActiveConsumer: 'yes' }, 'singleActiveConsumer is neither true nor false'],
    [{ maxAgeMs: 1500 }, 'maxAgeMs is no whole number of seconds'],
    [{ messageTtlMs: 1, arguments: { 'x-message-ttl': 1 } }, "messageTtlMs and the argument 'x-message-ttl'"],
  ] as const)('refuses %j', (definition, text) => {
    const make = (): Queue => new Queue('jobs', definition as never)
    expect(make).toThrow(expect.objectContaining({ code: 'E_CONFIG' }))
    expect(make).toThrow(text)
  })
})
