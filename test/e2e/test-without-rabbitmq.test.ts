import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findPython, needs } from '@hermod/testkit'
import { describe, expect, it } from 'vitest'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const FOLDER = 'examples/test-without-rabbitmq'
const PYTHON = '/usr/bin/python3'

const NODE_TESTS = [
  'amqplib.test.mjs',
  'rabbitmq-client.test.mjs',
  'cloudamqp.test.mjs',
  'look-inside.test.mjs',
]
const VITEST_TESTS = ['amqp-connection-manager.test.mjs']
const JEST_TESTS = ['commonjs.test.cjs', 'es-module.test.mjs', 'nestjs.test.ts']
const PYTHON_TESTS = [
  { file: 'test_pika.py', modules: ['pika'] },
  { file: 'test_kombu.py', modules: ['kombu'] },
  { file: 'test_oslo_messaging.py', modules: ['oslo_messaging'] },
]

/** Runs tests as their own first lines say; resolves with the exit status, and with all output where that is not 0. */
async function run(
  command: string,
  args: readonly string[],
  folder: string = repository,
): Promise<readonly unknown[]> {
  // What this runner sets for its workers would make the other one a worker too.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:NODE_|VITEST|TEST$)/.test(name)),
  )
  const child = spawn(command, args, {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 100_000,
    killSignal: 'SIGKILL',
  })
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (output += bytes.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return code === 0 ? [0, ''] : [code, output]
}

const jest = join(repository, FOLDER, 'jest')
const jestGate = needs(
  existsSync(join(jest, 'node_modules/complete'))
    ? { available: true }
    : { available: false, reason: 'Jest is missing (scripts/setup-services installs it)', excused: false },
)

describe('the examples of testing without RabbitMQ', () => {
  it('are all run here', () => {
    const named = [...NODE_TESTS, ...VITEST_TESTS, ...PYTHON_TESTS.map(({ file }) => file)]
    const tests = readdirSync(join(repository, FOLDER)).filter((file) => /\.test\.mjs$|^test_/.test(file))
    expect(named.toSorted()).toEqual(tests.toSorted())
    expect(readdirSync(jest).filter((file) => /\.test\./.test(file))).toEqual(JEST_TESTS)
  })

  it('have their environment for Jest as the guide shows it', () => {
    const guide = readFileSync(join(repository, 'docs/test-without-rabbitmq.md'), 'utf8')
    expect(guide).toContain(readFileSync(join(jest, 'broker-environment.cjs'), 'utf8'))
  })

  it.each(NODE_TESTS)('%s passes under node:test', async (file) => {
    expect(await run(process.execPath, ['--test', `${FOLDER}/${file}`])).toEqual([0, ''])
  })

  it.each(VITEST_TESTS)('%s passes under vitest', async (file) => {
    // Beside others it may take longer than the five seconds that a test has in vitest.
    const patience = ['--testTimeout=60000', '--hookTimeout=60000']
    const args = ['node_modules/vitest/vitest.mjs', 'run', '--root', FOLDER, ...patience, file]
    expect(await run(process.execPath, args)).toEqual([0, ''])
  })

  it.skipIf(jestGate.skip).each(JEST_TESTS)(`%s passes under Jest${jestGate.note}`, async (file) => {
    const flags = file.endsWith('.mjs') ? ['--experimental-vm-modules'] : []
    expect(await run(process.execPath, [...flags, 'node_modules/jest/bin/jest.js', file], jest)).toEqual([
      0,
      '',
    ])
  })

  for (const { file, modules } of PYTHON_TESTS) {
    const gate = needs(findPython(modules))
    it.skipIf(gate.skip)(`${file} passes under unittest${gate.note}`, async () => {
      expect(await run(PYTHON, ['-m', 'unittest', 'discover', FOLDER, '-p', file])).toEqual([0, ''])
    })
  }
})
