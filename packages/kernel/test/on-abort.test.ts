import { describe, expect, it } from 'vitest'
import { onAbort } from '../src/index.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('onAbort', () => {
  it('calls its listener once, also when the signal had aborted, and not when it was disposed', async () => {
    const calls: string[] = []
    const controller = new AbortController()
    const listening = onAbort(controller.signal, () => calls.push('disposed'))
    onAbort(controller.signal, () => calls.push('before'))
    listening[Symbol.dispose]()
    controller.abort()
    onAbort(controller.signal, () => calls.push('after'))
    await turn()
    expect(calls).toEqual(['before', 'after'])
  })

  it('lets hundreds of calls share a signal without a warning of Node', async () => {
    const warnings: Error[] = []
    // Of all that this process has to say, what Node says of many listeners.
    const note = (warning: Error): void => {
      if (warning.name === 'MaxListenersExceededWarning') warnings.push(warning)
    }
    process.on('warning', note)
    try {
      const { signal } = new AbortController()
      for (let call = 0; call < 300; call++) onAbort(signal, () => {})
      await turn()
    } finally {
      process.off('warning', note)
    }
    expect(warnings).toEqual([])
  })
})
