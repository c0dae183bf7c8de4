import { ManualClock } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { ObsoleteReplies } from '../src/obsolete-replies.ts'

describe('queues for replies that are gone', () => {
  it('are known for a minute', () => {
    const clock = new ManualClock()
    const obsolete = new ObsoleteReplies(clock)
    obsolete.add('reply_1')
    clock.advance(59_999)
    expect(obsolete.has('reply_1')).toBe(true)
    clock.advance(1)
    expect([obsolete.has('reply_1'), obsolete.has('reply_2')]).toEqual([false, false])
  })

  it('are known up to 200, the latest ones', () => {
    const obsolete = new ObsoleteReplies(new ManualClock())
    for (let n = 0; n < 200; n++) obsolete.add(`reply_${n}`)
    obsolete.add('reply_0')
    obsolete.add('reply_200')
    expect(['reply_0', 'reply_1', 'reply_2', 'reply_200'].map((queue) => obsolete.has(queue))).toEqual([
      true,
      false,
      true,
      true,
    ])
  })
})
