import { ByteReader } from '@hermod/amqp/wire'
import { ManualClock } from '@hermod/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { FrameGate, type GatedSink } from '../../src/session/frame-gate.ts'
import { Turn } from '../../src/session/turn.ts'

describe('a gate for frames', () => {
  let seen: string[]
  let gate: FrameGate
  let clock: ManualClock
  let turns: number
  let turn: Turn
  let sink: GatedSink
  const chunk = Buffer.from('..xy..')
  const reader = (): ByteReader => new ByteReader().reset(chunk, 2, 4)
  const text = ({ buffer, offset, end }: ByteReader): string => buffer.toString('latin1', offset, end)

  beforeEach(() => {
    seen = []
    turns = 0
    clock = new ManualClock()
    turn = new Turn()
    sink = {
      handled() {},
      readOrPause: () => void turns++,
      method: (channel, bytes) => void seen.push(`method ${channel} ${text(bytes)}`),
      header(channel, bytes) {
        seen.push(`header ${channel} ${text(bytes)}`)
        if (channel === 2) gate.held = true
      },
      body: (channel, bytes, start, end) =>
        void seen.push(`body ${channel} ${bytes.toString('latin1', start, end)}`),
    }
    gate = new FrameGate(sink, clock, turn)
  })

  it('lets them pass as they come', () => {
    gate.method(1, reader())
    gate.header(1, reader())
    gate.body(1, chunk, 2, 4)
    expect(seen).toEqual(['method 1 xy', 'header 1 xy', 'body 1 xy'])
  })

  it('keeps them while it is shut, as they were, and hands them over in their order', () => {
    gate.held = true
    const lent = Buffer.from('..xy..')
    gate.method(1, new ByteReader().reset(lent, 2, 4))
    gate.header(1, new ByteReader().reset(lent, 2, 4))
    gate.body(1, lent, 2, 4)
    lent.fill('z')
    expect(seen).toEqual([])
    gate.held = false
    gate.method(3, reader())
    expect(seen).toEqual(['method 1 xy', 'header 1 xy', 'body 1 xy', 'method 3 xy'])
  })

  it('is shut again by what it lets through, and keeps the rest for the next time', () => {
    gate.held = true
    for (const channel of [1, 2, 3]) {
      gate.header(channel, reader())
      gate.body(channel, chunk, 2, 4)
    }
    gate.held = false
    expect(seen).toEqual(['header 1 xy', 'body 1 xy', 'header 2 xy'])
    gate.header(4, reader())
    gate.held = false
    expect(seen.slice(3)).toEqual(['body 2 xy', 'header 3 xy', 'body 3 xy', 'header 4 xy'])
  })

  it('leaves time to others when frames take long, and hands over the rest in the next turn', async () => {
    gate.begin()
    for (let n = 0; n < 32; n++) gate.method(1, reader())
    expect(gate.shut).toBe(false)
    clock.advance(100)
    for (let n = 0; n < 100; n++) gate.method(1, reader())
    expect([seen.length, gate.shut, turns]).toEqual([64, true, 1])
    await new Promise((resolve) => setImmediate(resolve))
    expect([seen.length, gate.shut, turns]).toEqual([132, false, 2])
  })

  it('leaves less time the more others have taken in this turn, and so much again in the next', async () => {
    const framesUntilShut = (one: FrameGate): number => {
      one.begin()
      for (let n = 0; n < 10_000; n++) {
        if (one.shut) return n
        one.method(1, reader())
        if (n % 32 === 30) clock.advance(1)
      }
      return Infinity
    }
    const counts = Array.from({ length: 8 }, () => framesUntilShut(new FrameGate(sink, clock, turn)) / 32)
    expect(counts[0]).toBe(11)
    expect(counts.slice(-3)).toEqual([3, 3, 3])
    expect(counts).toEqual(counts.toSorted((one, other) => other - one))
    await new Promise((resolve) => setImmediate(resolve))
    expect(framesUntilShut(new FrameGate(sink, clock, turn)) / 32).toBe(11)
  })
})
