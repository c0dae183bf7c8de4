import { randomBytes } from 'node:crypto'
import { findRabbitMq, lentBrokerUrl, wantsEmbeddedBroker } from './availability.ts'
import type { BrokerFixture } from './broker-fixture.ts'
import { startEmbeddedBroker } from './embedded-broker.ts'
import { Epmd } from './epmd.ts'
import { externalBroker } from './external-broker.ts'
import { freePort } from './free-port.ts'
import { layOutRabbitMq, type RabbitMqOptions } from './rabbitmq-layout.ts'
import { RabbitMqNode } from './rabbitmq-node.ts'
import { startWithFreshPorts } from './start-with-fresh-ports.ts'

/**
 * Starts a RabbitMQ node of the test's own: fresh data in a temporary folder; AMQP, Erlang distribution and epmd
 * on free ports of loopback; user `guest` with password `guest`; no plugins. Resolves once it takes connections.
 *
 * Disposing ends it and removes its folder; so does the end of this process, whatever ends it.
 *
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED when RabbitMQ is not installed.
 * @throws {HermodError} E_CONN when it does not start; the end of its logs is in the message.
 */
export async function startRabbitMq(options: RabbitMqOptions = {}): Promise<BrokerFixture> {
  return startWithFreshPorts(async () => {
    const epmd = new Epmd(await freePort())
    const [nodeName, cookie] = [
      `hermod-${randomBytes(4).toString('hex')}@localhost`,
      randomBytes(16).toString('hex'),
    ]
    return new RabbitMqNode(await layOutRabbitMq({ nodeName, cookie, epmd, schedulers: 2 }, options), epmd)
  })
}

/**
 * The broker that the settings of a test run ask for: the embedded one (`HERMOD_TEST_BROKER=embedded`), a private node
 * of RabbitMQ, or, where it is not installed, the one that the user lends (`HERMOD_TEST_AMQP_URL`).
 */
export async function startBroker(options: RabbitMqOptions = {}): Promise<BrokerFixture> {
  if (wantsEmbeddedBroker()) return startEmbeddedBroker(options)
  const lent = lentBrokerUrl()
  return lent === undefined || findRabbitMq().available ? startRabbitMq(options) : externalBroker(lent)
}
