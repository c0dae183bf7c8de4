// Fails when package-lock.json holds a download address, misses an integrity, or would be refused by `npm ci`
// because an optional platform package is listed without an entry (npm/cli#9846).
import { readFileSync } from 'node:fs'

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const problems = []
for (const [at, entry] of Object.entries(packages)) {
  if (/^[a-z+]+:/.test(entry.resolved ?? '')) problems.push(`${at}: has a download address`)
  if (at.includes('node_modules/') && !entry.link && !entry.inBundle && !entry.integrity)
    problems.push(`${at}: no integrity`)
  for (const name of Object.keys(entry.optionalDependencies ?? {})) {
    const steps = at.split('/node_modules/')
    const places = steps.map((_, i) => [...steps.slice(0, steps.length - i), name].join('/node_modules/'))
    if (![...places, `node_modules/${name}`].some((place) => packages[place])) {
      problems.push(`${at}: optional ${name} has no entry, npm ci will refuse the lock`)
    }
  }
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
