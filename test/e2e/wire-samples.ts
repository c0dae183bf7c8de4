import { readFileSync } from 'node:fs'

/** A notification of a real service, as it was on the wire. */
interface WireSample {
  readonly exchange: string
  readonly routing_key: string
  readonly properties: object
  readonly headers: object
  readonly body: string
}

const FIXTURE = new URL('../../packages/openstack/data/notifications.ndjson', import.meta.url)

/** 110 notifications of Keystone, Neutron and Nova of the Zed release. */
export const samples: readonly WireSample[] = readFileSync(FIXTURE, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as WireSample)
