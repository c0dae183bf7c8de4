import { expect, it } from 'vitest'
import { nearestName } from '../src/nearest-name.ts'

const NAMES = ['rabbit_quorum_queue', 'rabbit_ha_queues', 'ssl', 'ssl_ca_file']

it.each<[text: string, expected: string | undefined]>([
  ['rabbit_quorum_queues', 'rabbit_quorum_queue'],
  ['RABBIT_QUORUM_QUEUE', 'rabbit_quorum_queue'],
  ['rabit_quroum_queue', 'rabbit_quorum_queue'],
  ['ssl_cafile', 'ssl_ca_file'],
  ['sll', 'ssl'],
  ['', undefined],
  ['something else altogether', undefined],
])("takes '%s' for %s", (text, expected) => {
  expect(nearestName(text, NAMES)).toBe(expected)
})

it('takes a text that is far too long for nothing', () => {
  expect(nearestName('x'.repeat(100_000), NAMES)).toBeUndefined()
})
