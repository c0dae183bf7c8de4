import { findEntry } from '../contestants/roster.ts'
import { startProfiler, writeProfile } from './profiler.ts'
import type { ServerPlan } from './job-server.ts'

// Serves the methods of the bench until stdin ends. Its argument says who and where, as JSON.
const { contestant, url, topic, profileFile } = JSON.parse(process.argv[2] ?? '') as ServerPlan
const entry = findEntry(contestant)
if (entry.runtime !== 'node' || entry.loadOslo === undefined)
  throw new Error(`'${contestant}' serves nothing in Node`)
const server = await (await entry.loadOslo()).contestant.serve(url, topic)
const profiler = profileFile === undefined ? undefined : await startProfiler()
process.stdin.resume().once('end', () => void end())
process.stdout.write('ready\n')

async function end(): Promise<void> {
  if (profiler !== undefined && profileFile !== undefined) await writeProfile(profiler, profileFile)
  await server[Symbol.asyncDispose]()
}
