#!/usr/bin/env node
// Builds the load for brokers into bench/out/ and prints where it is. Needs a C compiler ($CC, or gcc) and librabbitmq-dev.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const compiler = process.env.CC ?? 'gcc'
const program = at('../out/broker-load')
const sources = ['load.c', 'peer.c', 'measure.c', 'publish.c', 'flow.c', 'calls.c'].map(at)

mkdirSync(at('../out'), { recursive: true })
const { error, status } = spawnSync(
  compiler,
  [
    '-std=c99',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Wpedantic',
    '-Werror',
    '-o',
    program,
    ...sources,
    '-pthread',
    '-lrabbitmq',
  ],
  { stdio: ['ignore', 2, 2] },
)
if (error !== undefined) {
  console.error(`the load needs a C compiler: '${compiler}' did not start (${error.message})`)
  process.exitCode = 69
} else if (status !== 0) {
  console.error(`the load was not built: '${compiler}' ended with ${status}; it needs librabbitmq-dev`)
  process.exitCode = 70
} else {
  console.log(program)
}
