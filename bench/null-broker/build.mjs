#!/usr/bin/env node
// Builds the null broker into bench/out/ and prints where it is. Needs a C compiler: $CC, or gcc.
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))
const compiler = process.env.CC ?? 'gcc'
const program = at('../out/null-broker')
const sources = ['null-broker.c', 'connection.c', 'deliveries.c', 'driver.c'].map(at)

mkdirSync(at('../out'), { recursive: true })
const { error, status } = spawnSync(
  compiler,
  ['-std=c99', '-O2', '-Wall', '-Wextra', '-Wpedantic', '-Werror', '-o', program, ...sources],
  { stdio: ['ignore', 2, 2] },
)
if (error !== undefined) {
  console.error(`the null broker needs a C compiler: '${compiler}' did not start (${error.message})`)
  process.exitCode = 69
} else if (status !== 0) {
  console.error(`the null broker was not built: '${compiler}' ended with ${status}`)
  process.exitCode = 70
} else {
  console.log(program)
}
