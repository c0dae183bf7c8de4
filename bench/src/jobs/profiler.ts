import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'

/** Begins to record a CPU profile of this process. */
export async function startProfiler(): Promise<Session> {
  const inspector = new Session()
  inspector.connect()
  await inspector.post('Profiler.enable')
  await inspector.post('Profiler.start')
  return inspector
}

/** Ends the recording and writes it. */
export async function writeProfile(profiler: Session, file: string): Promise<void> {
  writeFileSync(file, JSON.stringify((await profiler.post('Profiler.stop')).profile))
}
