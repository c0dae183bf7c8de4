import { describe, expect, it } from 'vitest'
import { isLoopbackHost, parseListenAddress, reachableHost } from '../../src/broker/listen-address.ts'

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:5672', { host: '127.0.0.1', port: 5672 }],
    ['5673', { host: '127.0.0.1', port: 5673 }],
    ['0', { host: '127.0.0.1', port: 0 }],
    ['[::1]:5672', { host: '::1', port: 5672 }],
    ['broker.example:1', { host: 'broker.example', port: 1 }],
  ])('%s', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address)
  })

  it.each(['', ':5672', 'host', 'host:', 'host:65536', '::1:5672', '[::1]', 'amqp://h:5672', 'a b:1', '-1'])(
    '%j is none',
    (text) => {
      expect(parseListenAddress(text)).toBeUndefined()
    },
  )

  it.each([
    ['127.0.0.1', true],
    ['127.9.9.9', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['127.0.0.1.example', false],
    ['10.0.0.1', false],
  ])('%s is loopback: %s', (host, loopback) => {
    expect(isLoopbackHost(host)).toBe(loopback)
  })

  it('everywhere is reached under the name of the machine', () => {
    expect(reachableHost('0.0.0.0', 'node1')).toBe('node1')
    expect(reachableHost('::', 'node1')).toBe('node1')
    expect(reachableHost('10.0.0.1', 'node1')).toBe('10.0.0.1')
  })
})
