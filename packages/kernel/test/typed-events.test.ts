import { afterEach, describe, expect, it, vi } from 'vitest'
import { TypedEvents } from '../src/index.ts'

class Source extends TypedEvents<{ opened: { host: string }; closed: { by: string } }> {
  open(host: string): void {
    this.emit('opened', { host })
  }
}

describe('TypedEvents', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('calls each listener of the event in order, and of no other event', () => {
    const calls: string[] = []
    const source = new Source()
      .on('opened', ({ host }) => calls.push(`first ${host}`))
      .on('opened', ({ host }) => calls.push(`second ${host}`))
      .on('closed', () => calls.push('closed'))
    source.open('h1')
    expect(calls).toEqual(['first h1', 'second h1'])
    expect(source.listenerCount('opened')).toBe(2)
  })

  it('is silent when nobody listens', () => {
    const source = new Source()
    expect(source.listenerCount('opened')).toBe(0)
    expect(() => source.open('h1')).not.toThrow()
  })

  it('counts the same listener once and forgets it', () => {
    const listener = vi.fn<(event: { host: string }) => void>()
    const source = new Source().on('opened', listener).on('opened', listener)
    source.open('h1')
    expect(listener).toHaveBeenCalledOnce()
    source.off('opened', listener).off('closed', () => {})
    source.open('h2')
    expect(listener).toHaveBeenCalledOnce()
  })

  it('lets listeners come and go while an event is under way', () => {
    const source = new Source()
    const late = vi.fn<(event: { host: string }) => void>()
    const removed = vi.fn<(event: { host: string }) => void>()
    source.on('opened', () => {
      source.on('opened', late).off('opened', removed)
    })
    source.on('opened', removed)
    source.open('h1')
    expect(late).not.toHaveBeenCalled()
    expect(removed).toHaveBeenCalledOnce()
    source.open('h2')
    expect(late).toHaveBeenCalledOnce()
    expect(removed).toHaveBeenCalledOnce()
  })

  it('keeps a listener that throws from disturbing emitter and others', () => {
    const surfaced: (() => void)[] = []
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => void surfaced.push(callback))
    const failure = new Error('listener')
    const other = vi.fn<(event: { host: string }) => void>()
    const source = new Source()
      .on('opened', () => {
        throw failure
      })
      .on('opened', other)
    expect(() => source.open('h1')).not.toThrow()
    expect(other).toHaveBeenCalledOnce()
    expect(surfaced).toHaveLength(1)
    expect(surfaced[0]).toThrow(failure)
  })
})
