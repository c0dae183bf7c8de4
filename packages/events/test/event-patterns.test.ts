import { ConfigurationError } from '@hermod/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compilePatterns } from '../src/event-patterns.ts'

const matches = (type: string, ...patterns: string[]): boolean => compilePatterns(patterns)(type)

describe('compilePatterns', () => {
  it.each([
    ['compute.instance.create.end', ['compute.instance.*'], true],
    ['compute.instance.create.end', ['compute.*.end'], true],
    ['compute.instance.create.end', ['compute.instance.create.end'], true],
    ['compute.instance.create.end', ['compute.instance.create'], false],
    ['compute.instance.create.end', ['instance.*'], false],
    ['compute.instance.create.end', ['Compute.*'], false],
    ['port.create.end', ['p?rt.create.end'], true],
    ['port.create.end', ['p??rt.create.end'], false],
    ['identity.project tag.created', ['identity.project tag.*'], true],
    ['l3.meter', ['l3.meter?'], false],
    ['l3.meter', ['l3.meter*'], true],
    ['l3_meter', ['l3.meter'], false],
    ['a+b', ['a+b'], true],
    ['aab', ['a+b'], false],
    ['', ['*'], true],
    ['x', ['x***'], true],
    ['snapshot.😀.end', ['snapshot.?.end'], true],
    ['snapshot.😀.end', ['snapshot.??.end'], false],
  ])('%s against %j: %s', (type, patterns, expected) => {
    expect(compilePatterns(patterns)(type)).toBe(expected)
  })

  it('takes everything without patterns', () => {
    expect(matches('port.create.end')).toBe(true)
  })

  it('takes everything but the excluded when all patterns exclude', () => {
    expect(matches('port.create.end', '!*.exists')).toBe(true)
    expect(matches('compute.instance.exists', '!*.exists')).toBe(false)
  })

  it('excludes whatever the order', () => {
    expect(matches('compute.instance.exists', '!*.exists', 'compute.*')).toBe(false)
    expect(matches('compute.instance.exists', 'compute.*', '!*.exists')).toBe(false)
    expect(matches('network.exists', 'compute.*', '!*.exists')).toBe(false)
    expect(matches('compute.instance.update', 'compute.*', '!*.exists')).toBe(true)
  })

  it.each(['', '!'])('refuses the empty pattern %j', (pattern) => {
    expect(() => compilePatterns(['a.*', pattern])).toThrow(ConfigurationError)
  })

  it('agrees with a plain recursive definition', () => {
    const defined = (pattern: string, text: string): boolean => {
      if (pattern === '') return text === ''
      if (pattern[0] === '*')
        return defined(pattern.slice(1), text) || (text !== '' && defined(pattern, text.slice(1)))
      return (
        text !== '' &&
        (pattern[0] === '?' || pattern[0] === text[0]) &&
        defined(pattern.slice(1), text.slice(1))
      )
    }
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), minLength: 1, maxLength: 7 })
    const type = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 8 })
    fc.assert(
      fc.property(pattern, type, (glob, text) => {
        expect(matches(text, glob)).toBe(defined(glob, text))
      }),
      { numRuns: 3000 },
    )
  })

  it('does not blow up on many stars', () => {
    const before = process.cpuUsage()
    expect(matches('a'.repeat(20_000), `${'*a'.repeat(40)}*b`)).toBe(false)
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2_000)
  })
})
