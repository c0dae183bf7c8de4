import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { freePort } from '../src/free-port.ts'

describe('freePort', () => {
  it('gives a port that can be listened on, again and again', async () => {
    const port = await freePort()
    for (let round = 0; round < 2; round++) {
      const server = createServer().listen({ host: '127.0.0.1', port })
      await once(server, 'listening')
      expect((server.address() as AddressInfo).port).toBe(port)
      server.close()
      await once(server, 'close')
    }
  })

  it('gives a port to nobody else, though nothing listens on it yet', async () => {
    const port = await freePort()
    vi.spyOn(Math, 'random').mockReturnValueOnce((port - 20_000 + 0.5) / 12_000)
    expect(await freePort()).not.toBe(port)
    vi.restoreAllMocks()
  })

  it('stays below the ports that systems give to outgoing connections', async () => {
    const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()))
    for (const port of ports) {
      expect(port).toBeGreaterThanOrEqual(20_000)
      expect(port).toBeLessThan(32_000)
    }
  })
})
