import {
  InvalidTargetError,
  MessageDeliveryError,
  MessagingTimeoutError,
  RemoteError,
  ValidationError,
  type Failure,
} from '@hermod/kernel'
import { describe, expect, it } from 'vitest'
import { failureOfError, RemoteException } from '../../src/index.ts'

class QuotaExceeded extends Error {}

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

const names = ({ class: name, module, message }: Failure): string => `${module}.${name}: ${message}`

describe('failureOfError', () => {
  it.each([
    [new TypeError('a'), 'builtins.TypeError: a'],
    [new RangeError('a'), 'builtins.ValueError: a'],
    [thrownBy(() => JSON.parse('{') as unknown), /^builtins\.ValueError: /],
    [thrownBy(() => decodeURIComponent('%')), /^builtins\.ValueError: /],
    [new ReferenceError('nowhere'), 'builtins.NameError: nowhere'],
    [thrownBy(() => Buffer.alloc(-1)), /^builtins\.ValueError: /],
    [new Error('a'), 'hermod.Error: a'],
    [new QuotaExceeded('too many'), 'hermod.QuotaExceeded: too many'],
    [new (class extends TypeError {})('a'), 'hermod.Error: a'],
    [
      new ValidationError('the arguments', ['at a: is no number']),
      'builtins.ValueError: the arguments: at a: is no number',
    ],
    [
      new MessagingTimeoutError('call', 5),
      'oslo_messaging.exceptions.MessagingTimeout: call did not end within 5 ms',
    ],
    [new MessageDeliveryError('gone'), 'oslo_messaging.exceptions.MessageDeliveryFailure: gone'],
    [new InvalidTargetError('no', 'x'), 'hermod.InvalidTargetError: no: x'],
    ['a text', 'hermod.Error: a text'],
    [5, 'hermod.Error: 5'],
    [undefined, 'hermod.Error: <undefined>'],
    [null, 'hermod.Error: null'],
    [Symbol('x'), 'hermod.Error: <symbol>'],
    [{ password: 'pw', a: 1 }, 'hermod.Error: {"password":"***","a":1}'],
  ])('names %s as Python is to know it', (error, expected) => {
    const failure = failureOfError(error, 'hermod')
    expect(names(failure)).toMatch(expected)
    expect(failure.args).toEqual([failure.message])
    expect(failure.kwargs).toEqual({})
    expect(failure.tb.at(-1)).toBe(`${failure.class}: ${failure.message}\n`)
  })

  it('gives the module that the server is told to', () => {
    expect(names(failureOfError(new QuotaExceeded('x'), 'shop.errors'))).toBe('shop.errors.QuotaExceeded: x')
  })

  it('writes the stack as Python does, the innermost frame last', () => {
    const inner = (): never => {
      throw new RangeError('below 0')
    }
    function outer(): void {
      inner()
    }
    const { tb } = failureOfError(thrownBy(outer), 'hermod')
    expect(tb[0]).toBe('Traceback (most recent call last):\n')
    expect(tb.at(-1)).toBe('ValueError: below 0\n')
    expect(tb.at(-2)).toMatch(/^ {2}File "\/.*failure-of-error\.test\.ts", line \d+, in inner\n$/)
    expect(tb.at(-3)).toMatch(/^ {2}File "\/.*failure-of-error\.test\.ts", line \d+, in outer\n$/)
    for (const line of tb) expect(line.endsWith('\n')).toBe(true)
  })

  it('takes no part of the message for a frame, and no longer over a long one', () => {
    const quoted = `no such name: '\n    at forged (/etc/passwd:1:1)\n    at${' (:1:1'.repeat(100_000)}'`
    const before = process.cpuUsage()
    const { tb } = failureOfError(new TypeError(quoted), 'hermod')
    const renamed = Object.assign(new TypeError(quoted), { message: 'another text' })
    expect(failureOfError(renamed, 'hermod').tb.length).toBeLessThan(110)
    expect(process.cpuUsage(before).user / 1000).toBeLessThan(2000)
    expect(tb.filter((line) => line.includes('forged'))).toEqual([`TypeError: ${quoted}\n`])
    expect(tb.at(-2)).toMatch(/^ {2}File "\/.*failure-of-error\.test\.ts", line \d+, in <?\w+>?\n$/)
  })

  it('tells what led to the error first', () => {
    const text = failureOfError(new Error('outer', { cause: new TypeError('inner') }), 'hermod').tb.join('')
    expect(text).toContain(
      'TypeError: inner\n\nThe above exception was the direct cause of the following exception:\n\n',
    )
    expect(text.indexOf('TypeError: inner')).toBeLessThan(text.indexOf('Error: outer'))
  })

  it('ends with causes that go round', () => {
    const error = new Error('round')
    error.cause = error
    expect(failureOfError(error, 'hermod').tb.filter((line) => line === 'Error: round\n')).toHaveLength(5)
  })

  it('masks the passwords of URLs in every text', () => {
    const cause = new Error('amqp://user:inner-pw@host/ is gone')
    const failure = failureOfError(new Error('cannot reach amqp://user:outer-pw@host/', { cause }), 'hermod')
    expect(failure.message).toBe('cannot reach amqp://user:***@host/')
    expect(JSON.stringify(failure)).not.toMatch(/outer-pw|inner-pw/)
  })

  it('sends a RemoteException as the class that it names', () => {
    const error = new RemoteException('InstanceNotFound', 'Instance 5 is gone', {
      module: 'nova.exception',
      args: ['Instance %d is gone', 5],
      kwargs: { code: 404 },
    })
    expect(failureOfError(error, 'hermod')).toMatchObject({
      class: 'InstanceNotFound',
      module: 'nova.exception',
      message: 'Instance 5 is gone',
      args: ['Instance %d is gone', 5],
      kwargs: { code: 404 },
    })
    const plain = failureOfError(new RemoteException('KeyError', "'a'"), 'hermod')
    expect(plain).toMatchObject({
      class: 'KeyError',
      module: 'builtins',
      message: "'a'",
      args: ["'a'"],
      kwargs: {},
    })
    expect(failureOfError(new RemoteException('StopIteration', ''), 'hermod').tb.at(-1)).toBe(
      'StopIteration\n',
    )
  })

  it('makes texts of arguments that have no JSON form', () => {
    const round: Record<string, unknown> = {}
    round['round'] = round
    const args = [round, undefined, () => 1, 10n] as never[]
    const failure = failureOfError(
      new RemoteException('ValueError', 'x', { args, kwargs: { a: round as never } }),
      'hermod',
    )
    expect(failure.args).toEqual([
      '<object without a JSON form>',
      null,
      '<function without a JSON form>',
      10n,
    ])
    expect(failure.kwargs).toEqual({ a: '<object without a JSON form>' })
  })

  it('passes the error of another call on unchanged', () => {
    const failure: Failure = { class: 'A', module: 'b', message: 'c', tb: ['d'], args: [1], kwargs: { e: 2 } }
    expect(failureOfError(new RemoteError(failure), 'hermod')).toBe(failure)
  })

  it('gets by with errors that cannot be read', () => {
    class Hostile extends Error {
      override get message(): string {
        throw new Error('no')
      }
    }
    expect(names(failureOfError(new Hostile(), 'hermod'))).toBe('hermod.Error: an error that cannot be read')
    const odd = Object.assign(new Error('x'), { message: 5, stack: 7 })
    expect(failureOfError(odd, 'hermod')).toMatchObject({ message: '5', tb: ['Error: 5\n'] })
  })
})
