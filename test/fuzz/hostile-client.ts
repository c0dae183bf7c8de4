import { inspect } from 'node:util'
import { Connection, type ConnectionOptions } from '@hermod/amqp'
import { isHermodError } from '@hermod/kernel'
import type { ScriptedBroker } from '@hermod/testkit'
import { expect } from 'vitest'
import { ATTACKS, hastyClock, HOSTILE_URL, PASSWORD, type Attack } from './hostile-broker.ts'

/** Short times that still let a good broker answer. */
export const HASTY: ConnectionOptions = {
  clock: hastyClock,
  connectTimeoutMs: 5000,
  operationTimeoutMs: 2000,
  heartbeatMs: 0,
  reconnect: { initialMs: 20, maxMs: 400 },
}

/** For a broker that answers in the end: five seconds each, on that clock. */
export const CALM: ConnectionOptions = { connectTimeoutMs: 100_000, operationTimeoutMs: 100_000 }

/** Connects to a hostile broker, and does not wait long for it. */
export const connect = (broker: ScriptedBroker, options: ConnectionOptions = {}): Promise<Connection> =>
  Connection.connect(HOSTILE_URL, { dial: broker.dial, ...HASTY, ...options })

/** An error for people: ours, clear, of a length to read, and without the password. */
export function checkError(error: unknown): void {
  if (!isHermodError(error)) throw error
  expect(error.message.length).toBeLessThan(600)
  expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(PASSWORD)
  expect(JSON.stringify(error)).not.toContain(PASSWORD)
}

/** The attack of a name. */
export const attackOf = (name: string): Attack => ATTACKS[name] as Attack
