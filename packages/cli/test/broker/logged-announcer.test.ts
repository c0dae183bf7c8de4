import { PassThrough } from 'node:stream'
import { ManualClock } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'
import { announcingLogger } from '../../src/broker/announcing-logger.ts'
import { LoggedAnnouncer } from '../../src/broker/logged-announcer.ts'

/** A file that a test sees, and in which there may be no room. */
class FakeLog {
  readonly lines: string[] = []
  full = false
  closed = 0

  add(line: string): void {
    if (this.full) throw Object.assign(new Error('no room'), { code: 'ENOSPC' })
    this.lines.push(line)
  }

  close(): void {
    this.closed++
  }
}

function voice(quiet = false): {
  readonly announcer: LoggedAnnouncer
  readonly log: FakeLog
  readonly said: () => string
} {
  const stderr = new PassThrough({ encoding: 'utf8' })
  const announcer = new LoggedAnnouncer(stderr, quiet, new ManualClock())
  return { announcer, log: new FakeLog(), said: () => (stderr.read() as string | null) ?? '' }
}

describe('a logged announcer', () => {
  it('keeps what it says, and more, with the time, and without secrets and control characters', () => {
    const { announcer, log, said } = voice()
    announcer.note('before')
    announcer.keepIn(log)
    const logger = announcingLogger(announcer)
    logger.debug({}, 'for nobody')
    logger.info({ user: 'a\u001b[2J\nb' }, 'a connection is open')
    logger.warn({ peer: 'x' }, 'closed')
    logger.error({ error: new Error('amqp://u:hunter2@h/') }, 'failed')
    expect(log.lines).toEqual([
      '2026-11-22T09:00:00.000Z a connection is open (user a\\x1b[2J\\nb)',
      '2026-11-22T09:00:00.000Z closed (peer x)',
      '2026-11-22T09:00:00.000Z failed (error Error: amqp://u:***@h/)',
    ])
    expect(said()).toBe(
      'hermod: before\nhermod: closed (peer x)\nhermod: failed (error Error: amqp://u:***@h/)\n',
    )
  })

  it('keeps what it leaves out on stderr', () => {
    const { announcer, log, said } = voice(true)
    announcer.keepIn(log)
    announcer.note('a note')
    expect([log.lines.length, said()]).toEqual([1, ''])
  })

  it('says once that there is no room, and goes on when there is', () => {
    const { announcer, log, said } = voice()
    announcer.keepIn(log)
    log.full = true
    announcer.record('1')
    announcer.record('2')
    log.full = false
    announcer.record('3')
    log.full = true
    announcer.record('4')
    const complaint = 'hermod: the log cannot be written (ENOSPC)\n'
    expect(said()).toBe(complaint + complaint)
    expect(log.lines.map((line) => line.slice(-1))).toEqual(['3'])
  })

  it('closes the file once, and says no more to it', () => {
    const { announcer, log } = voice()
    announcer.keepIn(log)
    announcer[Symbol.dispose]()
    announcer[Symbol.dispose]()
    announcer.note('after')
    expect([log.closed, log.lines]).toEqual([1, []])
  })
})
