import { channel } from 'node:diagnostics_channel'
import type { ObservedDispatch, ObservedSend } from '../src/index.ts'

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

/** A send as a client publishes it. */
export function sendOf(parts: Partial<ObservedSend> = {}): Mutable<ObservedSend> {
  return {
    kind: 'call',
    driver: 'rabbit',
    exchange: 'openstack',
    topic: 'compute',
    server: undefined,
    fanout: false,
    method: 'build',
    eventType: undefined,
    priority: undefined,
    headers: {},
    ...parts,
  }
}

/** A dispatch as a server publishes it. */
export function dispatchOf(parts: Partial<ObservedDispatch> = {}): Mutable<ObservedDispatch> {
  return {
    kind: 'call',
    driver: 'rabbit',
    topic: 'compute',
    method: 'build',
    eventType: undefined,
    priority: undefined,
    headers: {},
    ...parts,
  }
}

/** Publishes the moments of a send around `work`. */
export async function publishSend<T>(send: Mutable<ObservedSend>, work: () => Promise<T>): Promise<T> {
  channel('hermod.messaging.send.start').publish(send)
  return publishEnd('send', send, work())
}

/** Publishes the moments of a dispatch around `work`, which runs where the subscribers want it to. */
export async function publishDispatch<T>(
  dispatch: Mutable<ObservedDispatch>,
  work: () => Promise<T>,
): Promise<T> {
  const running = channel('hermod.messaging.dispatch.start').runStores(dispatch, () =>
    dispatch.within === undefined ? work() : dispatch.within(work),
  )
  return publishEnd('dispatch', dispatch, running)
}

async function publishEnd<T>(name: string, work: { error?: unknown }, running: Promise<T>): Promise<T> {
  try {
    const result = await running
    channel(`hermod.messaging.${name}.end`).publish(work)
    return result
  } catch (error) {
    work.error = error
    channel(`hermod.messaging.${name}.error`).publish(work)
    throw error
  }
}
