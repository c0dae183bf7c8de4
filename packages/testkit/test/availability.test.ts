import { afterEach, describe, expect, it, vi } from 'vitest'
import { findBroker, findPython, findRabbitMq, needs, type Availability } from '../src/availability.ts'

const present: Availability = { available: true }
const absent: Availability = { available: false, reason: 'that thing is missing', excused: false }
const ruledOut: Availability = { available: false, reason: 'that is not wanted', excused: true }

afterEach(() => vi.unstubAllEnvs())

describe('needs', () => {
  it('lets a suite run whose peers are all here', () => {
    vi.stubEnv('HERMOD_TEST_REQUIRE_SERVICES', '')
    expect(needs(present, present)).toEqual({ skip: false, note: '' })
  })

  it('skips a suite and says why', () => {
    vi.stubEnv('HERMOD_TEST_REQUIRE_SERVICES', '')
    expect(needs(present, absent, ruledOut)).toEqual({
      skip: true,
      note: ' (skipped: that thing is missing; that is not wanted)',
    })
  })

  it('skips nothing for a missing peer where services are required', () => {
    vi.stubEnv('HERMOD_TEST_REQUIRE_SERVICES', '1')
    expect(needs(absent)).toEqual({ skip: false, note: '' })
    expect(needs(ruledOut).skip).toBe(true)
  })
})

describe('findPython', () => {
  it('names the modules that are missing', () => {
    expect(findPython(['json', 'no_such_module_here'])).toMatchObject({
      available: false,
      excused: false,
      reason: expect.stringContaining('python') as string,
    })
  })
})

describe('findBroker', () => {
  it('is content with a broker that the user lends', () => {
    vi.stubEnv('HERMOD_TEST_AMQP_URL', 'amqp://broker.example/')
    expect(findBroker()).toEqual({ available: true })
  })

  it('is content with the embedded broker, for what that can do', () => {
    vi.stubEnv('HERMOD_TEST_BROKER', 'embedded')
    expect(findBroker('restart', 'inspect')).toEqual({ available: true })
    expect(findBroker('restart', 'durable', 'plugins')).toEqual({
      available: false,
      reason: 'the embedded broker cannot do this: durable, plugins',
      excused: true,
    })
    expect(findRabbitMq()).toMatchObject({ available: false, excused: true })
  })
})
