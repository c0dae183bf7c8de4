// Fails when a generated file is not what its generator writes today.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const GENERATED = [
  ['scripts/generate-amqp-methods.mjs', 'packages/amqp/src/wire/generated/methods.ts'],
  ['scripts/generate-openstack-names.mjs', 'packages/openstack/src/generated/known-names.ts'],
]

let stale = 0
for (const [generator, output] of GENERATED) {
  const fresh = execFileSync(process.execPath, [generator, '--print'], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  if (fresh !== readFileSync(output, 'utf8')) {
    stale++
    console.error(`${output} is stale: run node ${generator}`)
  }
}
process.exitCode = stale > 0 ? 1 : 0
