import { ConfigurationError, ConnectionLostError } from '@hermod/kernel'
import { ScriptedBroker, SILENT } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { readRabbitOptions } from '../src/rabbit-options.ts'
import { RabbitTopology } from '../src/rabbit-topology.ts'
import type { RabbitOptions } from '../src/rabbit-settings.ts'
import { transientQueueRefusal } from '../src/transient-queue-refusal.ts'

const REFUSAL =
  'INTERNAL_ERROR - Feature `transient_nonexcl_queues` is deprecated. By default, this feature is not permitted anymore.'

/** A broker that does with queues as RabbitMQ 4.3 does. */
function strictBroker(): ScriptedBroker {
  const broker = new ScriptedBroker()
  broker.on('queue.declare', ({ args }, link) => {
    if (args.durable || args.exclusive) return undefined
    link.closeConnection(541, REFUSAL, 50, 10)
    return SILENT
  })
  return broker
}

async function declareAll(options: RabbitOptions): Promise<unknown> {
  const { settings } = readRabbitOptions({ options })
  const topology = new RabbitTopology(settings)
  const connection = await strictBroker().connect({ reconnect: false })
  try {
    const channel = await connection.openChannel()
    await topology.requestQueue('openstack', 'test').declare(channel)
    await topology.replyQueue('0a').declare(channel)
    return 'declared'
  } catch (error) {
    return transientQueueRefusal(error, settings)
  } finally {
    await connection.close()
  }
}

describe('a broker that takes no transient queues', () => {
  it.each<[RabbitOptions, string]>([
    [{}, 'set amqp_durable_queues or rabbit_quorum_queue, and rabbit_transient_quorum_queue'],
    [{ durableQueues: true }, 'set rabbit_transient_quorum_queue'],
    [{ quorumQueues: true }, 'set rabbit_transient_quorum_queue'],
    [{ transientQuorumQueues: true }, 'set amqp_durable_queues or rabbit_quorum_queue'],
  ])('with %j gives an error that names what to set', async (options, expected) => {
    const error = await declareAll(options)
    expect(error).toBeInstanceOf(ConfigurationError)
    const { message, retryable, cause } = error as ConfigurationError
    expect(message.endsWith(`(RabbitMQ from 4.3 on); ${expected}`)).toBe(true)
    expect(retryable).toBe(false)
    expect(String(cause)).toContain('transient_nonexcl_queues')
  })

  it.each<RabbitOptions>([
    { durableQueues: true, transientQuorumQueues: true },
    { quorumQueues: true, transientQuorumQueues: true },
  ])('takes what %j declares', async (options) => {
    expect(await declareAll(options)).toBe('declared')
  })
})

it('leaves other errors alone', () => {
  const { settings } = readRabbitOptions({})
  const lost = (replyCode: number): Error => new ConnectionLostError('gone', { details: { replyCode } })
  expect(transientQueueRefusal(lost(320), settings)).toBeUndefined()
  expect(transientQueueRefusal(new Error('541'), settings)).toBeUndefined()
  const durable = { durableQueues: true, quorumQueues: false, transientQuorumQueues: true }
  expect(transientQueueRefusal(lost(541), durable)).toBeUndefined()
  expect(transientQueueRefusal(lost(541), settings)).toBeInstanceOf(ConfigurationError)
})
