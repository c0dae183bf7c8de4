import { describe, expect, it } from 'vitest'
import { DuplicateWindow } from '../src/duplicate-window.ts'

describe('the window of duplicates', () => {
  it('knows the latest ids, and forgets the oldest first', () => {
    const window = new DuplicateWindow(3)
    for (const id of ['a', 'b', 'a', 'c']) window.add(id)
    expect(['a', 'b', 'c'].map((id) => window.has(id))).toEqual([true, true, true])
    window.add('d')
    expect(['a', 'b', 'c', 'd'].map((id) => window.has(id))).toEqual([false, true, true, true])
  })

  it('knows more than what a publisher may send again', () => {
    const window = new DuplicateWindow()
    for (let n = 0; n < 5000; n++) window.add(`id-${n}`)
    expect(window.has('id-4999')).toBe(true)
    expect(window.has(`id-${5000 - 1000}`)).toBe(true)
    expect(window.has('id-0')).toBe(false)
  })
})
