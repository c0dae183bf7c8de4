// Holds the floors: layers.json says which package may import which. Checked three ways that must agree: the
// imports in src/, the dependencies in package.json, and the references in tsconfig.json.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const layers = JSON.parse(readFileSync('layers.json', 'utf8'))
const problems = []
const json = (path) => JSON.parse(readFileSync(path, 'utf8'))

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* sources(path)
    else if (path.endsWith('.ts')) yield path
  }
}

/** Built-in modules that open sockets, files or processes, and the packages that may. */
const DOORS = {
  'node:net': ['amqp', 'broker', 'testkit', 'cli'],
  'node:tls': ['amqp', 'broker', 'testkit'],
  'node:fs': ['messaging', 'openstack', 'testkit', 'cli', 'hermod'],
  'node:fs/promises': ['messaging', 'openstack', 'testkit', 'cli', 'hermod'],
  'node:child_process': ['testkit', 'cli'],
}

/** `import … from '…'`, `export … from '…'`, the last line of either, `import '…'` and `import('…')`. */
const IMPORTS = /^(?:(?:import|export)\b[^'\n]*\bfrom |\} from |import )'([^']+)'|\bimport\('([^']+)'\)/gm

for (const name of readdirSync('packages')) {
  const allowed = layers[name]
  if (allowed === undefined) {
    problems.push(`packages/${name} is not in layers.json`)
    continue
  }
  const manifest = json(`packages/${name}/package.json`)
  const expected = name === 'hermod' ? 'hermod' : `@hermod/${name}`
  if (manifest.name !== expected)
    problems.push(`packages/${name}: is called ${manifest.name} instead of ${expected}`)
  const declared = Object.entries(manifest.dependencies ?? {}).filter(([dependency]) =>
    dependency.startsWith('@hermod/'),
  )
  for (const [dependency, range] of declared) {
    if (range !== manifest.version)
      problems.push(`packages/${name}: ${dependency} is not pinned to ${manifest.version}`)
    if (!allowed.includes(dependency.slice('@hermod/'.length)))
      problems.push(`packages/${name}: may not depend on ${dependency}`)
  }
  const references = (json(`packages/${name}/tsconfig.json`).references ?? []).map(({ path }) =>
    path.replace('../', ''),
  )
  if (
    references.toSorted().join() !==
    declared
      .map(([dependency]) => dependency.slice(8))
      .toSorted()
      .join()
  ) {
    problems.push(`packages/${name}: tsconfig references and dependencies differ`)
  }
  for (const file of sources(`packages/${name}/src`)) {
    const text = readFileSync(file, 'utf8')
    for (const [, statically, lazily] of text.matchAll(IMPORTS)) {
      const specifier = statically ?? lazily
      if (specifier.startsWith('.')) continue
      if (specifier.startsWith('node:')) {
        const doors = DOORS[specifier]
        if (doors !== undefined && !doors.includes(name)) problems.push(`${file}: may not use ${specifier}`)
      } else if (specifier.startsWith('@hermod/')) {
        const [other, ...entry] = specifier.slice('@hermod/'.length).split('/')
        const entries = existsSync(`packages/${other}`) ? json(`packages/${other}/package.json`).exports : {}
        if (entries[['.', ...entry].join('/')] === undefined)
          problems.push(`${file}: ${specifier} is no public entry`)
        else if (!allowed.includes(other)) problems.push(`${file}: may not import ${specifier}`)
        else if (manifest.dependencies?.[`@hermod/${other}`] === undefined)
          problems.push(`${file}: @hermod/${other} is no dependency`)
      } else if (
        (manifest.dependencies?.[specifier] ?? manifest.peerDependencies?.[specifier]) === undefined
      ) {
        problems.push(`${file}: ${specifier} is no dependency of ${manifest.name}`)
      }
    }
  }
}
for (const name of Object.keys(layers)) {
  if (!existsSync(`packages/${name}`)) problems.push(`layers.json names ${name}, which does not exist`)
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
