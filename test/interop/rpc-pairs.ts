import { findBroker, needs, startBroker, type BrokerFixture, type SuiteGate } from '@hermod/testkit'
import { afterAll, beforeAll, describe } from 'vitest'
import { OSLO_PYTHONS } from './oslo-pythons.ts'
import { openCaller, openHost, sideName, type RpcCaller, type RpcHost, type Side } from './rpc-peers.ts'

/** A client and servers that meet on one broker; there once the hooks of the suite have run. */
export interface RpcPair {
  readonly calling: Side
  readonly serving: Side
  readonly caller: RpcCaller
  readonly host: RpcHost
  /** Of their own virtual host. */
  readonly url: string
}

const rabbitMq = findBroker('administer')

/** Both sides with each other and each with itself, for both releases of oslo.messaging; and what they need beside it. */
export function sidePairs(): readonly (readonly [Side, Side, SuiteGate])[] {
  const pairs = OSLO_PYTHONS.flatMap((python): readonly (readonly [Side, Side, SuiteGate])[] => {
    const gate = needs(rabbitMq, python.availability)
    return [
      ['hermod', python, gate],
      [python, 'hermod', gate],
      [python, python, gate],
    ]
  })
  return [...pairs, ['hermod', 'hermod', needs(rabbitMq)]]
}

/**
 * Runs the same tests for clients and servers of both sides. Python with itself is among them: it is what the
 * expectations are held to.
 *
 * @param prepare starts the servers.
 */
export function describePairs(
  prepare: (pair: RpcPair) => Promise<void>,
  tests: (pair: RpcPair) => void,
): void {
  const pairs = sidePairs().map(([calling, serving, gate]) => ({
    calling,
    serving,
    gate,
    name: `a client of ${sideName(calling)} and servers of ${sideName(serving)}`,
  }))
  let broker: BrokerFixture | undefined
  beforeAll(async () => {
    if (pairs.some(({ gate }) => !gate.skip)) broker = await startBroker()
  })
  afterAll(() => broker?.[Symbol.asyncDispose]())

  for (const [index, { calling, serving, gate, name }] of pairs.entries()) {
    describe.skipIf(gate.skip)(`${name}${gate.note}`, () => {
      // Tests are collected before it is filled.
      const pair = { calling, serving } as RpcPair
      beforeAll(async () => {
        const vhost = `pair-${index}`
        await broker?.createVhost(vhost)
        const url = broker?.urlFor({ vhost }) ?? ''
        Object.assign(pair, { url, caller: openCaller(calling, url) })
        Object.assign(pair, { host: await openHost(serving, url) })
        await prepare(pair)
      })
      afterAll(() => Promise.all([pair.caller, pair.host].map((peer) => peer?.[Symbol.asyncDispose]())))
      tests(pair)
    })
  }
}
