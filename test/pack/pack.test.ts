import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly license: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** What `npm pack --json` says of a package. */
interface Packed {
  readonly name: string
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

const repository = fileURLToPath(new URL('../..', import.meta.url))
const require = createRequire(import.meta.url)
const compiler = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
const attw = join(dirname(require.resolve('@arethetypeswrong/cli/package.json')), 'dist/index.js')
const manifestIn = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
/** What a program says; npm's own variables are left out, for they would make npm work in another folder. */
const run = (command: string, args: readonly string[], cwd: string): string => {
  const env = Object.entries(process.env).filter(([name]) => !name.startsWith('npm_'))
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', env: Object.fromEntries(env), stdio: 'pipe' })
  } catch (cause) {
    throw new TypeError(`${command} ${args.join(' ')}: ${(cause as { stdout: string }).stdout}`, { cause })
  }
}

const root = manifestIn(repository)
const folders = readdirSync(join(repository, 'packages')).map((name) => join('packages', name))
const manifests = folders.map((folder) => manifestIn(join(repository, folder)))
const names = manifests.map(({ name }) => name)

describe('the packages', () => {
  let folder: string
  let packed: readonly Packed[]
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hermod-pack-'))
    const output = run('npm', ['pack', '-w', 'packages', '--json', '--pack-destination', folder], repository)
    packed = JSON.parse(output) as readonly Packed[]
    writeFileSync(join(folder, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }')
    const tarballs = packed.map(({ filename }) => `./${filename}`)
    const others = ['@types/node', '@opentelemetry/api'].map(
      (name) => `${name}@${root.devDependencies?.[name]}`,
    )
    run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs, ...others], folder)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('have one version, the one that brokers are told', () => {
    expect(new Set(manifests.map(({ version }) => version))).toEqual(new Set([root.version]))
    const source = readFileSync(join(repository, 'packages/amqp/src/client/version.ts'), 'utf8')
    expect(/CLIENT_VERSION = '(.+)'/.exec(source)?.[1]).toBe(root.version)
  })

  it('depend on each other and on commander alone', () => {
    const foreign = manifests.flatMap(({ dependencies = {} }) =>
      Object.keys(dependencies).filter((name) => !names.includes(name)),
    )
    expect(foreign).toEqual(['commander'])
  })

  it('leave the choice of OpenTelemetry to the program', () => {
    const peers = manifests.flatMap(({ name, peerDependencies = {} }) =>
      Object.entries(peerDependencies).map((peer) => [name, ...peer]),
    )
    expect(peers).toEqual([['@hermod/otel', '@opentelemetry/api', '^1.9.0']])
  })

  it('hold what is built and what it was built from, and nothing else', () => {
    expect(packed.map(({ name }) => name).toSorted()).toEqual(names.toSorted())
    const allowed = /^(?:(?:dist|src|data|bin)\/.+|package\.json|README\.md|LICENSE)$/
    for (const { name, files } of packed) {
      const paths = files.map(({ path }) => path)
      const expected = [
        'package.json',
        'README.md',
        'LICENSE',
        'dist/index.js',
        'dist/index.d.ts',
        'src/index.ts',
      ]
      expect({ name, missing: expected.filter((path) => !paths.includes(path)) }).toEqual({
        name,
        missing: [],
      })
      expect({ name, strange: paths.filter((path) => !allowed.test(path)) }).toEqual({ name, strange: [] })
      expect(paths.filter((path) => /\.tsbuildinfo$|\.test\.|(?:^|\/)test\//.test(path))).toEqual([])
    }
  })

  it('run the command from an empty folder', () => {
    expect(run('npx', ['--no', '--', 'hermod', '--version'], folder)).toBe(`${root.version}\n`)
    expect(run('npx', ['--no', '--', 'hermod', 'help', 'listen'], folder)).toContain('Exit status:')
  })

  it('are imported by a strict TypeScript program that checks every declaration', () => {
    const imports = names.map((name, at) => `import * as package${at} from '${name}'`)
    const all = names.map((_, at) => `package${at}`).join(', ')
    const body = `for (const one of [${all}]) console.log(Object.keys(one).length > 0)`
    writeFileSync(join(folder, 'main.ts'), `${imports.join('\n')}\n${body}\n`)
    const compilerOptions = {
      module: 'NodeNext',
      target: 'ES2022',
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      types: ['node'],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }))
    expect(run(process.execPath, [compiler, '-p', folder], folder)).toBe('')
    expect(run(process.execPath, ['main.js'], folder).trim().split('\n')).toEqual(names.map(() => 'true'))
  })

  it('are well formed to publint and attw', async () => {
    for (const { name, filename } of packed) {
      const tarball = join(folder, filename)
      const { buffer } = Uint8Array.from(readFileSync(tarball))
      const { messages } = await publint({ pack: { tarball: buffer }, strict: true })
      expect({ name, messages }).toEqual({ name, messages: [] })
      const checked = [attw, tarball, '--profile', 'esm-only', '--no-definitely-typed']
      expect(() => run(process.execPath, checked, folder)).not.toThrow()
    }
  })
})
