import { describe, expect, it } from 'vitest'
import { Target, type TargetParts } from '../src/index.ts'

const FULL: TargetParts = {
  exchange: 'nova',
  topic: 'compute',
  namespace: 'baseapi',
  version: '1.1',
  server: 'host-1',
  fanout: true,
  legacyNamespaces: ['old', undefined],
}

describe('Target', () => {
  it('is made of its parts, all of which may be left open', () => {
    expect(new Target(FULL)).toMatchObject(FULL)
    expect(new Target()).toMatchObject({
      exchange: undefined,
      topic: undefined,
      namespace: undefined,
      version: undefined,
      server: undefined,
      fanout: false,
      legacyNamespaces: [],
    })
  })

  it('cannot be changed, and keeps a list of its own', () => {
    const legacyNamespaces = ['old']
    const target = new Target({ legacyNamespaces })
    legacyNamespaces.push('older')
    expect(target.legacyNamespaces).toEqual(['old'])
    expect(() => Object.assign(target, { topic: 'other' })).toThrow(TypeError)
    expect(() => (target.legacyNamespaces as string[]).push('x')).toThrow(TypeError)
  })

  it('accepts its own namespace and its former ones', () => {
    expect(new Target(FULL).acceptedNamespaces).toEqual(['baseapi', 'old', undefined])
    expect(new Target().acceptedNamespaces).toEqual([undefined])
  })

  it.each<readonly [TargetParts]>([
    [{ exchange: 'x' }],
    [{ topic: 'x' }],
    [{ namespace: 'x' }],
    [{ version: 'x' }],
    [{ server: 'x' }],
    [{ fanout: false }],
    [{ server: undefined }],
    [{ topic: 'x', version: '2.0', exchange: undefined }],
    [{}],
  ])('is copied with %j, and loses its former namespaces', (changes) => {
    const target = new Target(FULL)
    expect(target.with(changes)).toMatchObject({ ...FULL, legacyNamespaces: [], ...changes })
    expect(target).toMatchObject(FULL)
  })

  it('takes former namespaces in a copy when they are given', () => {
    expect(new Target(FULL).with({ legacyNamespaces: ['a'] }).acceptedNamespaces).toEqual(['baseapi', 'a'])
  })

  it('equals another one in every part, or not', () => {
    expect(new Target(FULL).equals(new Target(FULL))).toBe(true)
    expect(new Target().equals(new Target({ fanout: false }))).toBe(true)
    const others: readonly TargetParts[] = [
      { exchange: 'x' },
      { topic: 'x' },
      { namespace: 'x' },
      { version: 'x' },
      { server: 'x' },
      { fanout: false },
      { legacyNamespaces: ['old'] },
    ]
    expect(others.filter((part) => new Target(FULL).equals(new Target({ ...FULL, ...part })))).toEqual([])
  })

  it('shows the parts that are set, as Python does', () => {
    expect(new Target({ topic: 'compute', server: 'host-1' }).toString()).toBe(
      '<Target topic=compute, server=host-1>',
    )
    expect(new Target({ fanout: true }).toString()).toBe('<Target fanout=true>')
    expect(new Target().toString()).toBe('<Target >')
  })
})
