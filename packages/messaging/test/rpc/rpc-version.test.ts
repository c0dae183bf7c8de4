import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkRpcVersion, isCompatibleVersion, parseRpcVersion } from '../../src/rpc/rpc-version.ts'

const version = fc
  .tuple(fc.nat(20), fc.nat(20), fc.option(fc.nat(20), { nil: undefined }))
  .map(([major, minor, revision]) => `${major}.${minor}${revision === undefined ? '' : `.${revision}`}`)

describe('isCompatibleVersion', () => {
  // The cases of VersionIsCompatibleTestCase, in its order.
  it.each([
    ['1.23', '1.23', true],
    ['1.24', '1.23', true],
    ['1.22', '1.23', false],
    ['2.23', '1.23', false],
    ['1.23', '2.23', false],
    ['1.23', '1.23.1', false],
    ['1.23.1', '1.23.2', false],
    ['1.23.2', '1.23.1', true],
    ['1.24', '1.23.1', true],
    ['1.23.0', '1.23', true],
  ])('an endpoint of %s serves a request of %s: %s', (implemented, requested, expected) => {
    expect(isCompatibleVersion(implemented, requested)).toBe(expected)
  })

  it.each(['', '1', 'a.b', '1.0.0.0', ' 1.0', '1.-1', '1.0 ', '٣.٣'])(
    'serves nothing that is no version: %j',
    (text) => {
      expect(isCompatibleVersion('1.0', text)).toBe(false)
      expect(isCompatibleVersion(text, '1.0')).toBe(false)
    },
  )

  it('orders the versions of a major', () => {
    fc.assert(
      fc.property(version, version, (one, other) => {
        const parts = [one, other].map((text) => parseRpcVersion(text)!)
        const sameMajor = parts[0]!.major === parts[1]!.major
        const either = isCompatibleVersion(one, other) || isCompatibleVersion(other, one)
        expect(either).toBe(sameMajor)
        const both = isCompatibleVersion(one, other) && isCompatibleVersion(other, one)
        expect(both).toBe(JSON.stringify(parts[0]) === JSON.stringify(parts[1]))
      }),
    )
  })
})

describe('checkRpcVersion', () => {
  it('names what is no version', () => {
    expect(checkRpcVersion('1.2.3', 'the version')).toBe('1.2.3')
    expect(() => checkRpcVersion('1', 'the version of x')).toThrow(
      "the version of x '1' is no version: write major.minor, for example 1.0",
    )
  })
})
