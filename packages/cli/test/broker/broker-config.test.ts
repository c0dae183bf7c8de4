import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readBrokerConfig, type BrokerConfig } from '../../src/broker/broker-config.ts'

const PASSWORD = 'hunter2-pa55'
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hermod-config-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function read(content: unknown, mode = 0o600): Promise<BrokerConfig> {
  const path = join(folder, 'broker.json')
  writeFileSync(path, JSON.stringify(content))
  chmodSync(path, mode)
  return readBrokerConfig(path, new PassThrough())
}

const FULL = {
  listen: '127.0.0.1:5673',
  users: [{ name: 'app', password: PASSWORD, virtual_hosts: ['/app'] }, { name: 'other' }],
  virtual_hosts: ['/', '/app'],
  profile: 'rabbitmq-3.10',
  tls_cert: 'cert.pem',
  tls_key: 'key.pem',
}

describe('the configuration of a broker', () => {
  it('is read whole', async () => {
    expect(await read(FULL)).toEqual({
      listen: '127.0.0.1:5673',
      users: [
        { name: 'app', password: PASSWORD, virtualHosts: ['/app'] },
        { name: 'other', password: undefined, virtualHosts: undefined },
      ],
      virtualHosts: ['/', '/app'],
      profile: 'rabbitmq-3.10',
      tlsCert: 'cert.pem',
      tlsKey: 'key.pem',
      notes: [],
    })
  })

  it('that holds a password and is readable by others is noted', async () => {
    expect((await read(FULL, 0o644)).notes).toEqual([expect.stringContaining('chmod 600') as string])
    expect((await read({ users: [{ name: 'a' }] }, 0o644)).notes).toEqual([])
  })

  it.each([
    [[], 'is JSON, but no object'],
    [{ user: [] }, "'user' is not known; there are listen, users, virtual_hosts, profile, tls_cert, tls_key"],
    [{ users: { app: PASSWORD } }, "'users' is no list"],
    [{ users: [PASSWORD] }, "'users[0]' is no object"],
    [{ users: [{ password: PASSWORD }] }, "'users[0].name' is missing"],
    [{ users: [{ name: 'a', pasword: PASSWORD }] }, "'users[0].pasword' is not known"],
    [{ users: [{ name: 'a', password: 1 }] }, "'users[0].password' is no text"],
    [
      { users: [{ name: 'a', password: '' }] },
      "'users[0].password' is empty; leave it out to have one made up",
    ],
    [{ users: [{ name: 'a', virtual_hosts: '/' }] }, "'users[0].virtual_hosts' is no list of texts"],
    [{ virtual_hosts: [1] }, "'virtual_hosts' is no list of texts"],
    [{ listen: 5672 }, "'listen' is no text"],
  ])('%j cannot be used', async (content, complaint) => {
    const failure = await read(content).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'E_CONFIG', message: expect.stringContaining(complaint) as string })
    expect(String(failure)).not.toContain(PASSWORD)
  })
})
