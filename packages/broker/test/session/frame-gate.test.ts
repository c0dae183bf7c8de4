import { ByteReader } from '@hermod/amqp/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { FrameGate } from '../../src/session/frame-gate.ts'

describe('a gate for frames', () => {
  let seen: string[]
  let gate: FrameGate
  const chunk = Buffer.from('..xy..')
  const reader = (): ByteReader => new ByteReader().reset(chunk, 2, 4)
  const text = ({ buffer, offset, end }: ByteReader): string => buffer.toString('latin1', offset, end)

  beforeEach(() => {
    seen = []
    gate = new FrameGate({
      method: (channel, bytes) => void seen.push(`method ${channel} ${text(bytes)}`),
      header(channel, bytes) {
        seen.push(`header ${channel} ${text(bytes)}`)
        if (channel === 2) gate.shut()
      },
      body: (channel, bytes, start, end) =>
        void seen.push(`body ${channel} ${bytes.toString('latin1', start, end)}`),
    })
  })

  it('lets them pass as they come', () => {
    gate.method(1, reader())
    gate.header(1, reader())
    gate.body(1, chunk, 2, 4)
    expect(seen).toEqual(['method 1 xy', 'header 1 xy', 'body 1 xy'])
  })

  it('keeps them while it is shut, as they were, and hands them over in their order', () => {
    gate.shut()
    const lent = Buffer.from('..xy..')
    gate.method(1, new ByteReader().reset(lent, 2, 4))
    gate.header(1, new ByteReader().reset(lent, 2, 4))
    gate.body(1, lent, 2, 4)
    lent.fill('z')
    expect(seen).toEqual([])
    gate.open()
    gate.method(3, reader())
    expect(seen).toEqual(['method 1 xy', 'header 1 xy', 'body 1 xy', 'method 3 xy'])
  })

  it('is shut again by what it lets through, and keeps the rest for the next time', () => {
    gate.shut()
    for (const channel of [1, 2, 3]) {
      gate.header(channel, reader())
      gate.body(channel, chunk, 2, 4)
    }
    gate.open()
    expect(seen).toEqual(['header 1 xy', 'body 1 xy', 'header 2 xy'])
    gate.header(4, reader())
    gate.open()
    expect(seen.slice(3)).toEqual(['body 2 xy', 'header 3 xy', 'body 3 xy', 'header 4 xy'])
  })
})
