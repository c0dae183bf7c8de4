import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, describe, expect, it } from 'vitest'
import {
  isObserved,
  MESSAGING_DIAGNOSTICS,
  runDispatch,
  type DispatchDiagnostics,
} from '../src/diagnostics.ts'

const { start } = MESSAGING_DIAGNOSTICS.dispatch
const endings: (() => void)[] = []
afterEach(() => {
  for (const end of endings.splice(0)) end()
})

function onStart(subscriber: (dispatch: DispatchDiagnostics) => void): void {
  const listener = (message: unknown): void => subscriber(message as DispatchDiagnostics)
  start.subscribe(listener)
  endings.push(() => start.unsubscribe(listener))
}

function dispatchOf(): DispatchDiagnostics {
  return {
    kind: 'call',
    driver: 'fake',
    topic: 'test',
    method: 'add',
    eventType: undefined,
    priority: undefined,
    headers: {},
  }
}

describe('runDispatch', () => {
  it('runs the work once, after the beginning is told', async () => {
    const order: unknown[] = []
    const dispatch = dispatchOf()
    onStart((message) => order.push(message))
    const result = await runDispatch(dispatch, async () => {
      order.push('work')
      return 3
    })
    expect(result).toBe(3)
    expect(order).toEqual([dispatch, 'work'])
    expect(order[0]).toBe(dispatch)
  })

  it('needs no subscriber', () => {
    expect(isObserved(MESSAGING_DIAGNOSTICS.dispatch)).toBe(false)
    expect(runDispatch(dispatchOf(), () => 3)).toBe(3)
  })

  it('runs the work within what a subscriber set, and throws what the work throws', () => {
    const order: string[] = []
    onStart((message) => {
      message.within = (work) => {
        order.push('in')
        try {
          return work()
        } finally {
          order.push('out')
        }
      }
    })
    const failing = (): never => {
      order.push('work')
      throw new RangeError('out of range')
    }
    expect(() => runDispatch(dispatchOf(), failing)).toThrow('out of range')
    expect(order).toEqual(['in', 'work', 'out'])
  })

  it('keeps the store that is bound to the channel through what the work awaits', async () => {
    const storage = new AsyncLocalStorage<string>()
    start.bindStore(storage, (message) => (message as DispatchDiagnostics).method)
    endings.push(() => start.unbindStore(storage))
    const seen = await runDispatch(dispatchOf(), async () => {
      await Promise.resolve()
      return storage.getStore()
    })
    expect(seen).toBe('add')
    expect(storage.getStore()).toBeUndefined()
  })
})
