import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { displayWidth } from '../../src/output/display-width.ts'
import { colourPaint, plainPaint } from '../../src/output/paint.ts'
import { PrettyFormat } from '../../src/output/pretty.ts'
import { anEvent, type EventParts } from '../an-event.ts'
import { hostileText, steers } from '../hostile-text.ts'

const format = (columns?: number): PrettyFormat => new PrettyFormat(() => columns, plainPaint)
const line = (parts: EventParts, columns?: number): string => format(columns).line(anEvent(parts))

/** Which of the cells that may go are there. */
const cells = (columns: number): string[] =>
  ['compute1', 'proj', 'req-'].filter((cell) => line({}, columns).includes(cell))

describe('PrettyFormat', () => {
  it('shows time, service, type, mark, resource, project, request and host', () => {
    expect(line({})).toBe(
      '12:00:13.530  nova       compute.instance.create.end               ✓  web-1 178b0921                  proj 6f70656e  req-5b6c791d  compute1\n',
    )
  })

  it('adds how long it took, where the start was seen', () => {
    const pretty = format()
    pretty.line(anEvent({ type: 'compute.instance.create.start', time: '2026-11-22 12:00:01.130000' }))
    expect(pretty.line(anEvent({}))).toMatch(/compute1 +12\.4s\n$/)
  })

  it.each([
    ['compute.instance.create.start', 'INFO', '▸'],
    ['compute.instance.create.error', 'ERROR', '✗'],
    ['compute.instance.update', 'ERROR', '✗'],
    ['compute.instance.update', 'WARN', '!'],
  ])('marks %s of priority %s with %s', (type, priority, mark) => {
    expect(line({ type, priority })).toContain(` ${mark} `)
  })

  it('writes out what a name would do to the terminal', () => {
    const text = line({ name: 'x\u001b]0;owned\u0007\u202e', publisher: 'compute.a\u009b2Jb' })
    expect(text).toContain('x\\x1b]0;owned\\x07\\u202e 178b0921')
    expect(text).toContain('a\\x9b2Jb')
    expect(line({ type: 'a\u001bc' })).toContain('a\\x1bc')
    expect(steers(text.slice(0, -1))).toBe(false)
  })

  it.each([40, 60, 80, 100, 120, 160, 220])('stays within %d columns', (columns) => {
    const pretty = format(columns)
    for (const name of ['web-1', 'x'.repeat(300), '東京'.repeat(40), '']) {
      for (const type of [
        'port.update.end',
        'baremetal.node.power_state_corrected.success',
        't'.repeat(200),
      ]) {
        const text = pretty.line(anEvent({ name, type })).slice(0, -1)
        expect(displayWidth(text)).toBeLessThanOrEqual(columns)
        expect(text).toContain('12:00:13.530')
      }
    }
  })

  it('leaves out host, project and request, in this order, when it is narrow', () => {
    expect(cells(150)).toEqual(['compute1', 'proj', 'req-'])
    expect(cells(125)).toEqual(['proj', 'req-'])
    expect(cells(100)).toEqual(['req-'])
    expect(cells(70)).toEqual([])
  })

  it('cuts a long name and keeps the id', () => {
    expect(line({ name: 'a-very-long-name-of-an-instance' }, 100)).toMatch(/a-very-lon… 178b0921/)
  })

  it('looks at no more than the beginning of a text without end', () => {
    const endless = 'e'.repeat(1_000_000)
    const written = new PrettyFormat(() => undefined, plainPaint).line(
      anEvent({ name: endless, type: endless, publisher: `compute.${endless}` }),
    )
    expect(written.length).toBeLessThan(20_000)
    expect(written).toContain('e…')
  })

  it('colours on demand only', () => {
    expect(new PrettyFormat(() => 120, colourPaint).line(anEvent({}))).toContain('\u001b[')
    expect(line({}, 120)).not.toContain('\u001b')
  })

  it('is one line without control characters, whatever the event holds', () => {
    const pretty = format(100)
    fc.assert(
      fc.property(hostileText, hostileText, hostileText, hostileText, (name, id, type, publisher) => {
        const written = pretty.line(anEvent({ name, id, type, publisher, project: id, request: name }))
        expect(steers(written.slice(0, -1))).toBe(false)
        expect(displayWidth(written.slice(0, -1))).toBeLessThanOrEqual(100)
      }),
    )
  })
})
