import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '@hermod/kernel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConf, readConfFile } from '../src/index.ts'

const issuesOf = (text: string): readonly string[] => {
  try {
    parseConf(text, 'nova.conf')
  } catch (error) {
    return (error as ConfigurationError).issues
  }
  throw new Error('it was read')
}

describe('parseConf', () => {
  // What oslo.config 10.7.0 made of the same lines.
  it.each<readonly [string, string]>([
    ['a = 1', '1'],
    ['a=1', '1'],
    ['a: 1', '1'],
    ['a : 1', '1'],
    ['a = b : c', 'b : c'],
    ['a: b=1', 'b=1'],
    ['a =', ''],
    ['a = "quoted"', 'quoted'],
    ["a = ' kept '", ' kept '],
    ['a = "', ''],
    ["a = ''", ''],
    ['a = \'x"', '\'x"'],
    ['a = "q"  # no comment', '"q"  # no comment'],
    ['a = x # no comment', 'x # no comment'],
    ['a = x ; y', 'x ; y'],
    ['a = multi\n  line\n\tthird', 'multi\nline\nthird'],
    ['a =\n  x\n  # y', '\nx\n# y'],
    ['a = "a\n  b"', '"a\nb"'],
    ['a = 1   \t', '1'],
    ['a = 1\n\n# comment\n; comment\nb = 2', '1'],
    ['a = 1\r\nb = 2\r\n', '1'],
    ['a = 1\n  \nb = 2', '1'],
    ['a = 1\n[other]\na = 2', '1'],
    ['a = 1\n[other]\na = 2\n[DEFAULT]\na = 3', '3'],
  ])('%j', (lines, value) => {
    expect(parseConf(`[DEFAULT]\n${lines}`).get('DEFAULT', 'a')).toBe(value)
  })

  it('keeps every value of a repeated key, and the last for who asks for one', () => {
    const conf = parseConf('[s]\ndriver = messaging\ndriver = messagingv2\n[s]\ndriver = log')
    expect(conf.getAll('s', 'driver')).toEqual(['messaging', 'messagingv2', 'log'])
    expect(conf.get('s', 'driver')).toBe('log')
    expect(conf.getAll('s', 'other')).toEqual([])
  })

  it('knows sections in any letter case, but one DEFAULT', () => {
    const conf = parseConf('[Oslo_Messaging_Rabbit]\nssl = true\n[default]\na = 1')
    expect(conf.get('oslo_messaging_rabbit', 'ssl')).toBe('true')
    expect(conf.get('DEFAULT', 'a')).toBeUndefined()
  })

  it('takes - and _ in a key for one', () => {
    const conf = parseConf('[s]\ntransport-url = x\nmy_ip = y')
    expect(conf.get('s', 'transport_url')).toBe('x')
    expect(conf.get('s', 'my-ip')).toBe('y')
  })

  it('knows keys of JavaScript as any other', () => {
    const conf = parseConf('[__proto__]\nconstructor = x')
    expect(conf.get('__proto__', 'constructor')).toBe('x')
    expect(conf.get('constructor', 'name')).toBeUndefined()
  })

  it('overlooks a byte order mark', () => {
    expect(parseConf('\uFEFF[s]\na = 1').get('s', 'a')).toBe('1')
  })

  it.each<readonly [string, readonly string[]]>([
    ['a = hunter2', ['nova.conf:1: an option before the first [section]']],
    ['[s]\n\n  hunter2', ['nova.conf:3: a line that begins with a blank continues nothing']],
    ['[s]\na = 1\n# x\n  hunter2', ['nova.conf:4: a line that begins with a blank continues nothing']],
    ['[s]\n= hunter2', ['nova.conf:2: a value without a key']],
    ['[s]\nhunter2', ["nova.conf:2: neither a [section] nor 'key = value'"]],
    ['[s] # x', ["nova.conf:1: a section that does not end with ']'"]],
    ['[]', ['nova.conf:1: a section without a name']],
    [
      'a = 1\n[s\nb = 2\nhunter2\n: x',
      [
        'nova.conf:1: an option before the first [section]',
        "nova.conf:2: a section that does not end with ']'",
        "nova.conf:4: neither a [section] nor 'key = value'",
        'nova.conf:5: a value without a key',
      ],
    ],
  ])('names every bad line of %j by number', (text, issues) => {
    expect(issuesOf(text)).toEqual(issues)
  })
})

describe('readConfFile', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hermod-conf-'))
  })
  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  it('reads a file, and names it in errors', async () => {
    const path = join(folder, 'nova.conf')
    await writeFile(path, '[DEFAULT]\nname = café\nssl = perhaps\n')
    const conf = await readConfFile(path)
    expect(conf.source).toBe(path)
    expect(conf.get('DEFAULT', 'name')).toBe('café')
    expect(() => conf.getBoolean('DEFAULT', 'ssl')).toThrow(`${path}:3: option 'ssl' of [DEFAULT]`)
  })

  it('says which file it cannot read, and why', async () => {
    const missing = join(folder, 'missing.conf')
    await expect(readConfFile(missing)).rejects.toThrow(
      new ConfigurationError([`${missing} cannot be read (ENOENT)`]),
    )
    await expect(readConfFile(folder)).rejects.toMatchObject({
      code: 'E_CONFIG',
      message: `${folder} cannot be read (EISDIR)`,
      cause: { code: 'EISDIR' },
    })
  })
})
