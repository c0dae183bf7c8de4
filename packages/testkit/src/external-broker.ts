import { UnsupportedFeatureError } from '@hermod/kernel'
import type { BrokerFixture } from './broker-fixture.ts'
import { brokerUrl } from './broker-url.ts'

const refuse = (operation: string) => (): Promise<never> =>
  Promise.reject(
    new UnsupportedFeatureError(
      `${operation} needs a broker of the tests' own, and HERMOD_TEST_AMQP_URL names another`,
    ),
  )

/**
 * A broker that somebody else runs (`HERMOD_TEST_AMQP_URL`): tests may use it, but neither end it nor look inside.
 *
 * @param url an AMQP URL with credentials.
 */
export function externalBroker(url: string): BrokerFixture {
  const { hostname, port, protocol } = new URL(url)
  return {
    url,
    host: hostname,
    port: port === '' ? (protocol === 'amqps:' ? 5671 : 5672) : Number(port),
    capabilities: {
      restart: false,
      durable: false,
      plugins: false,
      administer: false,
      inspect: false,
      alarm: false,
    },
    urlFor: (login) => brokerUrl(url, login),
    kill: refuse('kill'),
    stop: refuse('stop'),
    start: refuse('start'),
    restart: refuse('restart'),
    createVhost: refuse('createVhost'),
    addUser: refuse('addUser'),
    changePassword: refuse('changePassword'),
    deleteUser: refuse('deleteUser'),
    setAlarm: refuse('setAlarm'),
    deleteQueue: refuse('deleteQueue'),
    closeConnections: refuse('closeConnections'),
    queues: refuse('queues'),
    exchanges: refuse('exchanges'),
    bindings: refuse('bindings'),
    connections: refuse('connections'),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
