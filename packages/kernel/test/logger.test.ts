import { describe, expect, it } from 'vitest'
import { redactingLogger, silentLogger, type LogDetails, type Logger } from '../src/index.ts'

describe('redactingLogger', () => {
  it('masks details and message on every level', () => {
    const lines: (readonly [string, LogDetails, string])[] = []
    const level = (name: string) => (details: LogDetails, message: string) =>
      void lines.push([name, details, message])
    const target: Logger = {
      debug: level('debug'),
      info: level('info'),
      warn: level('warn'),
      error: level('error'),
    }
    const logger = redactingLogger(target)
    for (const name of ['debug', 'info', 'warn', 'error'] as const) {
      logger[name]({ password: 'p', port: 5672 }, 'dialled amqp://u:p@h/')
    }
    expect(lines).toEqual(
      ['debug', 'info', 'warn', 'error'].map((name) => [
        name,
        { password: '***', port: 5672 },
        'dialled amqp://u:***@h/',
      ]),
    )
  })
})

describe('silentLogger', () => {
  it('takes every level and does nothing', () => {
    for (const name of ['debug', 'info', 'warn', 'error'] as const) {
      expect(silentLogger[name]({}, 'text')).toBeUndefined()
    }
  })
})
