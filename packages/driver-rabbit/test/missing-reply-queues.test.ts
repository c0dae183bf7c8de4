import { ManualClock, settled } from '@hermod/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { MissingReplyQueues, type ReplyPatience } from '../src/missing-reply-queues.ts'
import { ObsoleteReplies } from '../src/obsolete-replies.ts'

const PATIENT: ReplyPatience = { leavingSinceMs: undefined }

/** Replies that wait, and what became of them. */
class Replies {
  readonly clock = new ManualClock()
  readonly missing = new MissingReplyQueues({
    obsolete: new ObsoleteReplies(this.clock),
    keptMs: 60_000,
    clock: this.clock,
  })
  readonly sent: string[] = []
  readonly lost: string[] = []
  /** Queues that are there. */
  readonly present = new Set<string>()

  /** As a reply goes that comes back at once while its queue is missing. */
  async reply(name: string, queue: string, patience: ReplyPatience = PATIENT): Promise<void> {
    while (!this.missing.isGone(queue)) {
      if (this.missing.has(queue) && !(await this.missing.wait(queue, patience))) break
      this.sent.push(name)
      if (this.present.has(queue)) return this.missing.forget(queue)
      this.missing.note(queue)
    }
    this.lost.push(name)
  }
}

describe('missing queues for replies', () => {
  let replies: Replies
  beforeEach(() => {
    replies = new Replies()
  })

  it('are tried by one reply at a time, and all go when one arrives', async () => {
    for (const name of ['a', 'b', 'c']) void replies.reply(name, 'q')
    expect(replies.sent).toEqual(['a'])
    await replies.clock.pass(250)
    await replies.clock.pass(250)
    expect(replies.sent).toEqual(['a', 'a', 'b'])
    replies.present.add('q')
    await replies.clock.pass(250)
    expect(replies.sent.slice(3).toSorted()).toEqual(['a', 'b', 'c'])
    expect(replies.lost).toEqual([])
    expect(replies.clock.armed).toBe(0)
  })

  it('are tried more seldom with time, and given up with all that wait', async () => {
    for (const name of ['a', 'b']) void replies.reply(name, 'q')
    await replies.clock.pass(10_000)
    const early = replies.sent.length
    expect(early).toBeGreaterThan(12)
    await replies.clock.pass(49_000)
    expect(replies.sent.length - early).toBeGreaterThan(45)
    expect(replies.sent.length - early).toBeLessThan(50)
    expect(replies.lost).toEqual([])
    await replies.clock.pass(2_000)
    expect(replies.lost.toSorted()).toEqual(['a', 'b'])
    expect(replies.missing.isGone('q')).toBe(true)
    expect(replies.clock.armed).toBe(0)
  })

  it('hold 512 replies: of a flood to one queue the first go, and those of others stay', async () => {
    void replies.reply('honest', 'q')
    for (let n = 0; n < 600; n++) void replies.reply(`forged ${n}`, 'flood')
    await settled()
    expect(replies.lost.length).toBe(601 - 512)
    expect(replies.lost).not.toContain('honest')
    expect(replies.lost).toContain('forged 0')
  })

  it('hold 512 replies: of a flood to many queues those go that are missing for longest', async () => {
    for (let n = 0; n < 600; n++) void replies.reply(`forged ${n}`, `flood ${n}`)
    await settled()
    expect(replies.lost).toEqual(Array.from({ length: 600 - 512 }, (_, n) => `forged ${n}`))
    await replies.clock.pass(61_000)
    expect(replies.lost.length).toBe(600)
    expect(replies.clock.armed).toBe(0)
  })

  it('are waited for only for a moment by who leaves, and by others as before', async () => {
    const leaving: ReplyPatience = { leavingSinceMs: undefined }
    void replies.reply('leaving', 'q', leaving)
    void replies.reply('staying', 'q')
    await replies.clock.pass(10_000)
    leaving.leavingSinceMs = replies.clock.monotonicMs()
    await replies.clock.pass(1_500)
    expect(replies.lost).toEqual([])
    void replies.reply('of a method that ran on', 'another', leaving)
    await replies.clock.pass(1_600)
    expect(replies.lost).toEqual(['leaving'])
    await replies.clock.pass(2_000)
    expect(replies.lost).toEqual(['leaving', 'of a method that ran on'])
  })

  it('are looked at anew when nobody waited for them any more', async () => {
    const leaving: ReplyPatience = { leavingSinceMs: 0 }
    void replies.reply('leaving', 'q', leaving)
    await replies.clock.pass(5_000)
    expect(replies.lost).toEqual(['leaving'])
    await replies.clock.pass(70_000)
    replies.present.add('q')
    await replies.reply('late', 'q')
    expect(replies.sent.at(-1)).toBe('late')
  })

  it('are not waited for when all is over', async () => {
    void replies.reply('a', 'q')
    replies.missing.close()
    await settled()
    void replies.reply('b', 'q')
    expect(replies.lost).toEqual(['a', 'b'])
    expect(replies.clock.armed).toBe(0)
  })
})
