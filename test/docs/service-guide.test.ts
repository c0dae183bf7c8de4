import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { ExampleProgram } from '../interop/example-program.ts'
import { blocks, read } from './markdown.ts'
import { PRELUDES } from './preludes.ts'

const GUIDE = 'docs/write-a-service.md'
const CONF = '/etc/disks/disks.conf'
/** How the service ends; in the guide its client comes after it. */
const END = `await server.wait()
await rpc.close({ timeoutMs: 5_000 })
await notifications.close({ timeoutMs: 5_000 })
`

const folder = mkdtempSync(join(tmpdir(), 'hermod-service-guide-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('docs/write-a-service.md is a program that works, and ends when it is told to', async () => {
  const code = blocks(read(GUIDE), 'ts').join('\n')
  expect(code.split(END)).toHaveLength(2)
  expect(code.split(CONF)).toHaveLength(2)
  const conf = join(folder, 'disks.conf')
  const [ini = ''] = blocks(read(GUIDE), 'ini')
  writeFileSync(conf, ini.replace(/^transport_url = .*$/m, 'transport_url = fake://disks'))
  // Options of the rabbit driver in the file are none of the fake driver's.
  const program = code.replace(END, '').replace(CONF, conf)
  const source = `${PRELUDES[GUIDE]}${program}\nprocess.emit('SIGTERM')\n${END}console.log('ended')\n`
  await using service = new ExampleProgram('service', 'fake://', source)
  expect([await service.ended(), service.stderr.replaceAll(/^connected to .*\n/gm, '')]).toEqual([0, ''])
  const disk = /^10 \[ { id: '[\w-]{36}', sizeGb: 10 } \]$/
  expect(service.stdout.trimEnd().split('\n')).toEqual([
    'serving',
    expect.stringMatching(disk),
    "[ 'disk.create.end' ]",
    'ended',
  ])
})
