import { describe, expect, it } from 'vitest'
import { settledUsers } from '../../src/broker/broker-users.ts'

const user = (name: string, password?: string) => ({ name, password, virtualHosts: undefined })

describe('the users of a broker', () => {
  it('are one, with a password that is made up, where nobody is named', () => {
    const [one, ...others] = settledUsers([], [], {})
    expect(others).toEqual([])
    expect(one).toMatchObject({ name: 'hermod', generated: true })
    expect(one?.password).toMatch(/^[\w-]{24}$/)
    expect(settledUsers([], [], {})[0]?.password).not.toBe(one?.password)
  })

  it('have the password of the flag, else of the file, else of the environment', () => {
    const env = { HERMOD_BROKER_PASSWORD: 'of-env' }
    const fromFile = [user('a', 'of-file'), user('b', 'of-file')]
    const users = settledUsers([user('a', 'of-flag'), user('b'), user('c')], fromFile, env)
    expect(users.map(({ name, password, generated }) => [name, password, generated])).toEqual([
      ['a', 'of-flag', false],
      ['b', 'of-file', false],
      ['c', 'of-env', false],
    ])
  })

  it('keep the virtual hosts of the file', () => {
    const fromFile = [{ name: 'a', password: undefined, virtualHosts: ['/a'] }]
    expect(settledUsers([user('a', 'x')], fromFile, {})).toMatchObject([{ virtualHosts: ['/a'] }])
  })

  it('do not share the one password of the environment', () => {
    const env = { HERMOD_BROKER_PASSWORD: 'secret-1' }
    expect(() => settledUsers([user('a'), user('b')], [], env)).toThrow(
      "HERMOD_BROKER_PASSWORD is the password of one user, but 'a' and 'b' have none; give theirs in --config",
    )
    const made = settledUsers([user('a'), user('b')], [], { HERMOD_BROKER_PASSWORD: '' })
    expect(new Set(made.map(({ password }) => password)).size).toBe(2)
  })
})
