import { ManualClock } from '@hermod/testkit'
import { expect, it } from 'vitest'
import { WaitingCall } from '../src/waiting-call.ts'

const LIFE = { msgId: 'm', result: null, failure: null, ending: false }

it('hears the sign of life that was waiting unread when the time for it was over', async () => {
  const clock = new ManualClock()
  const wait = {
    what: 'a call',
    leftMs: 60_000,
    timeoutMs: 60_000,
    monitorTimeoutMs: 3_000,
    signal: undefined,
  }
  const ended: string[] = []
  const [kept, silent] = ['kept', 'silent'].map(
    (name) => new WaitingCall(name, wait, clock, () => ended.push(name)),
  ) as [WaitingCall, WaitingCall]
  const refused = silent.promise.catch((reason: unknown) => reason)
  // The process stood still: Node rings its timers before it reads.
  clock.advance(5_000)
  kept.receive(LIFE)
  expect(await refused).toMatchObject({ code: 'E_TIMEOUT' })
  expect(ended).toEqual(['silent'])
  clock.advance(2_000)
  kept.receive({ ...LIFE, result: 3, ending: true })
  expect(await kept.promise).toEqual({ result: 3 })
  expect(ended).toEqual(['silent', 'kept'])
})
