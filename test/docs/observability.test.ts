import { execFileSync } from 'node:child_process'
import type { Channel } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DIAGNOSTICS } from '@hermod/amqp'
import { MESSAGING_DIAGNOSTICS } from '@hermod/messaging'
import { instrumentHermod, SEMANTIC_CONVENTIONS_VERSION } from '@hermod/otel'
import { createNoopMeter, SpanKind, type Meter } from '@opentelemetry/api'
import { afterAll, describe, expect, it } from 'vitest'
import { ATTRIBUTE } from '../../packages/otel/src/semantic-conventions.ts'
import { blocks, quoted, read, repository, table } from './markdown.ts'

const page = read('docs/observability.md')
const named = (heading: string): readonly (readonly string[])[] =>
  table(page, heading).map(([name = '', ...cells]) => [quoted(name)[0] ?? '', ...cells])

/** The metrics that the instrumentation makes: name, kind and unit. */
function metricsMade(): readonly string[] {
  const made: string[] = []
  const noop = createNoopMeter()
  const meter: Meter = Object.assign(Object.create(noop) as Meter, {
    createCounter: (name: string, options: { unit: string }) => {
      made.push(`${name} counter ${options.unit}`)
      return noop.createCounter(name)
    },
    createHistogram: (name: string, options: { unit: string }) => {
      made.push(`${name} histogram ${options.unit}`)
      return noop.createHistogram(name)
    },
  })
  instrumentHermod({ meterProvider: { getMeter: () => meter } }).stop()
  return made
}

/** Runs a program as a user would: compiled, on the built packages. */
function run(source: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermod-observability-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'main.ts'), source)
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  const options = [
    '--module',
    'NodeNext',
    '--target',
    'ES2023',
    '--strict',
    '--skipLibCheck',
    '--types',
    'node',
  ]
  const compiler = join(repository, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [compiler, ...options, 'main.ts'], { cwd: folder, stdio: 'pipe' })
  const env = { ...process.env, NO_COLOR: '1' }
  return execFileSync(process.execPath, ['main.js'], { cwd: folder, encoding: 'utf8', env })
}

describe('docs/observability.md', () => {
  it('has an example that runs, and prints one trace', () => {
    const output = run(blocks(page, 'ts')[0] as string)
    expect(output).toContain('web-1 is built')
    expect(output).toContain('handled server.build.end')
    const all = (pattern: RegExp): readonly string[] =>
      Array.from(output.matchAll(pattern), ([, found]) => found as string)
    expect(new Set(all(/^ {2}traceId: '(\w+)'/gm)).size).toBe(1)
    const spans = all(/^ {2}name: '(.+)'/gm).map((name, at) => `${name} ${all(/^ {2}kind: (\d)/gm)[at]}`)
    const documented = named('Span').map(
      ([name, kind]) => `${name} ${SpanKind[kind as keyof typeof SpanKind]}`,
    )
    expect(spans.toSorted()).toEqual(documented.toSorted())
  })

  it('names every metric, its kind and its unit', () => {
    const rows = named('Metric').map(([name, kind, unit = '']) => `${name} ${kind} ${quoted(unit)[0]}`)
    expect(rows.toSorted()).toEqual(metricsMade().toSorted())
  })

  it('names every attribute', () => {
    expect(
      named('Attribute')
        .map(([name = '']) => name)
        .toSorted(),
    ).toEqual(Object.values(ATTRIBUTE).toSorted())
  })

  it('names every channel', () => {
    const { send, dispatch, transport } = MESSAGING_DIAGNOSTICS
    const channels: readonly Channel[] = [
      ...Object.values(send),
      ...Object.values(dispatch),
      transport,
      ...Object.values(DIAGNOSTICS),
    ]
    expect(named('Channel').map(([name]) => name)).toEqual(channels.map(({ name }) => name))
  })

  it('says which version of the conventions this is', () => {
    expect(page).toContain(`semantic conventions ${SEMANTIC_CONVENTIONS_VERSION} for`)
    expect(read('packages/otel/README.md')).toContain(
      `semantic conventions ${SEMANTIC_CONVENTIONS_VERSION} for`,
    )
  })
})
