import { describe, expect, it, vi } from 'vitest'
import { Lifecycle } from '../src/index.ts'

type State = 'idle' | 'open' | 'closed'
const TRANSITIONS = { idle: ['open', 'closed'], open: ['closed'], closed: [] } as const

describe('Lifecycle', () => {
  it('moves along its table and reports each change', () => {
    const onChange = vi.fn<(state: State, previous: State) => void>()
    const lifecycle = new Lifecycle<State, string>('idle', TRANSITIONS, onChange)
    expect(lifecycle.state).toBe('idle')
    lifecycle.enter('open')
    lifecycle.enter('closed')
    expect(lifecycle.state).toBe('closed')
    expect(onChange.mock.calls).toEqual([
      ['open', 'idle'],
      ['closed', 'open'],
    ])
  })

  it('takes the state that it is in for no change', () => {
    const onChange = vi.fn<(state: State, previous: State) => void>()
    const lifecycle = new Lifecycle<State, string>('idle', TRANSITIONS, onChange)
    lifecycle.enter('idle')
    expect(onChange).not.toHaveBeenCalled()
  })

  it('refuses what the table lacks and stays where it is', () => {
    const lifecycle = new Lifecycle<State, string>('idle', TRANSITIONS)
    lifecycle.enter('closed')
    expect(() => lifecycle.enter('open')).toThrow("state 'open' cannot follow 'closed'")
    expect(lifecycle.state).toBe('closed')
  })

  it('resolves closed with the first end', async () => {
    const lifecycle = new Lifecycle<State, string>('idle', TRANSITIONS)
    lifecycle.end('first')
    lifecycle.end('second')
    await expect(lifecycle.closed).resolves.toBe('first')
    expect(lifecycle.closed).toBe(lifecycle.closed)
  })
})
