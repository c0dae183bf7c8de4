import { AsyncLocalStorage } from 'node:async_hooks'
import { settled } from '@hermod/testkit'
import { afterEach, expect, it } from 'vitest'
import { createRpcServer, MESSAGING_DIAGNOSTICS, type DispatchDiagnostics } from '../../src/index.ts'
import { ScriptedDriver, ScriptedRequest, transportOn } from './scripted-requests.ts'

const { start, end, error } = MESSAGING_DIAGNOSTICS.dispatch
const ends: (() => void)[] = []

afterEach(() => {
  for (const off of ends.splice(0)) off()
})

function listenTo(seen: [string, DispatchDiagnostics][]): void {
  for (const [name, channel] of Object.entries({ start, end, error })) {
    const listener = (message: unknown): void => {
      seen.push([name, message as DispatchDiagnostics])
    }
    channel.subscribe(listener)
    ends.push(() => channel.unsubscribe(listener))
  }
}

async function startedWith(endpoint: object): Promise<ScriptedDriver> {
  const driver = new ScriptedDriver()
  await createRpcServer(transportOn(driver), { topic: 't', server: 's' }, { endpoints: [endpoint] }).start()
  return driver
}

it('publishes one object when a dispatch begins and when it has ended', async () => {
  const seen: [string, DispatchDiagnostics][] = []
  listenTo(seen)
  const boom = new Error('boom')
  const driver = await startedWith({ good: () => 1, bad: () => Promise.reject(boom) })
  const headers = { traceparent: '00-1' }
  driver.deliver(new ScriptedRequest({ method: 'good' }, { headers }))
  await settled()
  driver.deliver(new ScriptedRequest({ method: 'bad' }, { expectsReply: false }))
  await settled()
  driver.deliver(new ScriptedRequest({ method: 7 }))
  await settled()
  expect(seen.map(([name]) => name)).toEqual(['start', 'end', 'start', 'error', 'start', 'error'])
  const work = { driver: 'scripted', topic: 't', eventType: undefined, priority: undefined }
  expect(seen[1]![1]).toEqual({ ...work, kind: 'call', method: 'good', headers })
  expect(seen[3]![1]).toEqual({ ...work, kind: 'cast', method: 'bad', headers: {}, error: boom })
  expect(seen[5]![1]).toMatchObject({ kind: 'call', method: undefined, error: { remoteClass: 'TypeError' } })
  expect(seen.map(([, message]) => message)).toEqual(
    [1, 1, 3, 3, 5, 5].map((index) => expect.objectContaining(seen[index]![1])),
  )
  expect(seen[0]![1]).toBe(seen[1]![1])
})

it('runs the method within the stores that are bound to the beginning', async () => {
  const store = new AsyncLocalStorage<DispatchDiagnostics>()
  start.bindStore(store)
  ends.push(() => void start.unbindStore(store))
  const inside: unknown[] = []
  const driver = await startedWith({
    async look() {
      inside.push(store.getStore()?.method)
      await settled()
      inside.push(store.getStore()?.method)
    },
  })
  driver.request('look')
  await settled()
  await settled()
  expect(inside).toEqual(['look', 'look'])
  expect(store.getStore()).toBeUndefined()
})
