import { describe, expect, it } from 'vitest'
import { formatDuration, formatSeconds, parseDurationMs } from '../src/duration.ts'

describe('parseDurationMs', () => {
  it.each([
    ['250ms', 250],
    ['5s', 5000],
    ['1.5s', 1500],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['0s', 0],
  ])('%s is %d ms', (text, durationMs) => {
    expect(parseDurationMs(text)).toBe(durationMs)
  })

  it.each([
    '',
    '5',
    's',
    '5 s',
    '-5s',
    '5S',
    '1e3s',
    '5s5s',
    '5d',
    '0x5s',
    '٥s',
    '9999999999s',
    'Infinityms',
  ])('%j is none', (text) => {
    expect(parseDurationMs(text)).toBeUndefined()
  })
})

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [850.4, '850ms'],
    [999.7, '1.0s'],
    [12_400, '12.4s'],
    [59_940, '59.9s'],
    [59_960, '1m00s'],
    [125_000, '2m05s'],
    [3_599_600, '1h00m'],
    [11_520_000, '3h12m'],
  ])('%d ms is %s', (durationMs, text) => {
    expect(formatDuration(durationMs)).toBe(text)
  })
})

describe('formatSeconds', () => {
  it('has one decimal', () => {
    expect(formatSeconds(812)).toBe('0.8 s')
  })
})
