import { knownExchanges, knownTopics } from '@hermod/openstack'
import { describe, expect, it } from 'vitest'
import { resolveTapOptions, TAP_DEFAULTS, type TapOptions } from '../src/tap-options.ts'

const servers: TapOptions['servers'] = [
  { hostname: 'localhost', port: 5672, username: 'guest', password: 'guest', virtualHost: '/' },
]

describe('resolveTapOptions', () => {
  it('taps every known exchange and topic within the bounds that are promised', () => {
    const resolved = resolveTapOptions({ servers })
    expect(resolved).toMatchObject({
      servers,
      exchanges: knownExchanges(),
      topics: knownTopics(),
      prefetchCount: 500,
      maxLength: 50_000,
      maxLengthBytes: 64 * 1024 * 1024,
      ringCapacity: 10_000,
      searchIntervalMs: 30_000,
    })
    expect(resolved.exchanges).toEqual(expect.arrayContaining(['nova', 'neutron', 'openstack', 'ironic']))
    expect(resolved.name).toBe(`hermod-tap:${process.pid}`)
  })

  it('adds topics to the known ones, and has each once', () => {
    const { topics, exchanges } = resolveTapOptions({
      servers,
      topics: ['billing', 'notifications', 'billing'],
      exchanges: ['nova', 'nova', 'cell1'],
    })
    expect(topics).toEqual([...knownTopics(), 'billing'])
    expect(exchanges).toEqual(['nova', 'cell1'])
  })

  it.each([['#'], ['*'], ['notifications.#'], ['a.*.b'], ['']])(
    'refuses the topic %j, which could copy remote calls',
    (topic) => {
      expect(() => resolveTapOptions({ servers, topics: [topic] })).toThrow(
        /topic '.*' is empty or holds a wildcard/,
      )
    },
  )

  it('refuses the default exchange', () => {
    expect(() => resolveTapOptions({ servers, exchanges: [''] })).toThrow(/default exchange cannot be tapped/)
  })

  it.each(Object.keys(TAP_DEFAULTS) as (keyof typeof TAP_DEFAULTS)[])(
    'refuses a %s that is no count',
    (name) => {
      for (const value of [0, -1, 1.5, Number.NaN, Infinity]) {
        expect(() => resolveTapOptions({ servers, [name]: value })).toThrow(
          `${name} is a whole number above 0, not ${value}`,
        )
      }
      expect(resolveTapOptions({ servers, [name]: 1 })[name]).toBe(1)
    },
  )

  it('says everything that is wrong at once', () => {
    const wrong = { servers, prefetchCount: 0, topics: ['#'], exchanges: [''] }
    expect(() => resolveTapOptions(wrong)).toThrow(
      expect.objectContaining({
        code: 'E_CONFIG',
        message: expect.stringMatching(/prefetchCount/) as string,
      }),
    )
    expect(() => resolveTapOptions(wrong)).toThrow(/topic '#'.*/s)
    expect(() => resolveTapOptions(wrong)).toThrow(/default exchange/)
  })
})
